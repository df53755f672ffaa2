// What an applier's earlier configuration had and its new one has not, taken out of the merged object unless somebody
// else owns it (structured-merge-diff merge/update.go: prune). Pure.

import type { Schema } from "@picokube/api/schema/schema";
import { appliedSet, withNamedFields } from "./applied-set.js";
import { difference, type FieldSet, intersection, isEmptySet, union } from "./field-set.js";
import { removePaths } from "./merge.js";

/** The merged object without what only the former set held. managed: what anybody owns now, the applier included. */
export function prune(
  merged: object,
  { former, managed, schema }: { former: FieldSet; managed: FieldSet; schema: Schema },
): object {
  if (isEmptySet(difference(former, managed))) return merged;
  const setOfObject = (object: unknown) => withNamedFields(appliedSet((object ?? {}) as object, schema), schema);
  const last = withNamedFields(former, schema);
  const all = setOfObject(merged);
  const bare = setOfObject(removePaths(merged, last, schema));
  // What an owned path needs around it, and what lies below a removed item but belongs to another, comes back.
  const owned = union(bare, withNamedFields(managed, schema));
  const kept = setOfObject(removePaths(merged, difference(all, owned), schema));
  // Items that the applier did not have before are not its to remove.
  const gone = intersection(difference(all, kept), last);
  return (removePaths(merged, gone, schema) ?? {}) as object;
}
