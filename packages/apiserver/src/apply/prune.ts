// What an applier's earlier configuration had and its new one has not, taken out of the merged object unless somebody
// else owns it (structured-merge-diff merge/update.go: prune). Pure.

import type { Schema } from "@picokube/api/schema/schema";
import { appliedSet, withNamedFields } from "./applied-set.js";
import { difference, type FieldSet, intersection, isEmptySet, union } from "./field-set.js";
import type { ManagedFieldsEntry } from "./managed-fields.js";
import { removePaths } from "./merge.js";
import { inVersion, type Versioning } from "./versions.js";

/** The merged object without what only the former entry of the applier held; applied is what it configures now. */
export function prune(
  merged: object,
  {
    former,
    others,
    applied,
    versioning,
  }: {
    former: ManagedFieldsEntry | undefined;
    others: readonly ManagedFieldsEntry[];
    applied: FieldSet;
    versioning: Versioning;
  },
): object {
  if (former === undefined) return merged;
  const managed = managedByVersion(others, { applied, apiVersion: versioning.apiVersion });
  const isKept = former.apiVersion === versioning.apiVersion && managed.get(former.apiVersion);
  if (isKept && isEmptySet(difference(former.fieldsV1, isKept))) return merged;
  const whole = inVersion(merged, former.apiVersion, versioning);
  if (whole === undefined) return merged;
  const schema = versioning.schemaIn(former.apiVersion);
  const last = withNamedFields(former.fieldsV1, schema);
  const at = { ...versioning, apiVersion: former.apiVersion };
  let pruned = (removePaths(whole, last, schema) ?? {}) as object;
  // At the version of the pruning first: a conversion may need what is owned.
  const versions = [former.apiVersion, ...[...managed.keys()].filter((version) => version !== former.apiVersion)];
  for (const version of versions) {
    const set = managed.get(version);
    if (set) pruned = withOwned(pruned, { whole, set, version, at });
  }
  // Items that the applier did not have before are not its to remove.
  const gone = difference(setOf(whole, schema), setOf(pruned, schema));
  const kept = (removePaths(whole, intersection(gone, last), schema) ?? {}) as object;
  return inVersion(kept, versioning.apiVersion, at) ?? merged;
}

/** What anybody owns now, the applier included, by the version it is owned in. */
function managedByVersion(
  others: readonly ManagedFieldsEntry[],
  { applied, apiVersion }: { applied: FieldSet; apiVersion: string },
): Map<string, FieldSet> {
  const managed = new Map([[apiVersion, applied]]);
  for (const each of others) {
    const set = managed.get(each.apiVersion);
    managed.set(each.apiVersion, set ? union(set, each.fieldsV1) : each.fieldsV1);
  }
  return managed;
}

/** The pruned object with what is owned in a version put back: an owned path, and what it needs around it. */
function withOwned(
  pruned: object,
  { whole, set, version, at }: { whole: object; set: FieldSet; version: string; at: Versioning },
): object {
  const all = inVersion(whole, version, at);
  const bare = all && inVersion(pruned, version, at);
  if (!bare) return pruned;
  const schema = at.schemaIn(version);
  const kept = union(setOf(bare, schema), withNamedFields(set, schema));
  const left = (removePaths(all, difference(setOf(all, schema), kept), schema) ?? {}) as object;
  return inVersion(left, at.apiVersion, { ...at, apiVersion: version }) ?? pruned;
}

function setOf(object: object, schema: Schema): FieldSet {
  return withNamedFields(appliedSet(object, schema), schema);
}
