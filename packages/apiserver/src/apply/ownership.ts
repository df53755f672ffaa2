// Who owns which fields after a write (structured-merge-diff merge/update.go, apimachinery util/managedfields). Works on
// the entries as they stand: an entry that a write does not touch stays the very object it was. Throws nothing.

import type { Conflict } from "./conflicts.js";
import {
  difference,
  EMPTY,
  type FieldSet,
  intersection,
  isEmptySet,
  parseFieldSet,
  sameSet,
  union,
} from "./field-set.js";
import { entry, isEntryOf, type ManagedFieldsEntry, type ManagerIdentity, sorted } from "./managed-fields.js";
import type { Changes } from "./versions.js";

const MAX_UPDATE_MANAGERS = 10;
const ANCIENT_CHANGES = "ancient-changes";

/** What nobody owns: the identity of the object, which no manager may change (upstream: stripMeta). */
const UNOWNED: FieldSet = parseFieldSet({
  "f:apiVersion": {},
  "f:kind": {},
  "f:metadata": {
    ".": {},
    "f:name": {},
    "f:namespace": {},
    "f:creationTimestamp": {},
    "f:selfLink": {},
    "f:uid": {},
    "f:clusterName": {},
    "f:generation": {},
    "f:managedFields": {},
    "f:resourceVersion": {},
  },
});

/** The set without what nobody owns. */
export function ownable(set: FieldSet): FieldSet {
  return difference(set, UNOWNED);
}

/** The entries after a write that is no apply: whoever writes a field owns it, and nobody else does. */
export function entriesAfterUpdate(
  entries: readonly ManagedFieldsEntry[],
  changes: Changes,
  { identity, time }: { identity: ManagerIdentity; time: string },
): readonly ManagedFieldsEntry[] {
  const { changed, removed } = changes.in(identity.apiVersion)!;
  if (isEmptySet(changed) && isEmptySet(removed)) return entries;
  const gained = ownable(changed);
  const { kept, isSame } = keptBy(entries, changes);
  if (isEmptySet(gained)) return isSame ? entries : sorted(kept);
  const own = kept.find((each) => isEntryOf(each, identity))?.fieldsV1 ?? EMPTY;
  const others = kept.filter((each) => !isEntryOf(each, identity));
  return sorted(withinCap([...others, entry({ ...identity, time, fieldsV1: union(own, gained) })]));
}

/** The entries without what a write changed or removed, each by its own version. */
function keptBy(
  entries: readonly ManagedFieldsEntry[],
  changes: Changes,
): { kept: ManagedFieldsEntry[]; isSame: boolean } {
  let isSame = true;
  const kept: ManagedFieldsEntry[] = [];
  for (const each of entries) {
    const change = changes.in(each.apiVersion);
    const fieldsV1 = change ? difference(difference(each.fieldsV1, change.changed), change.removed) : EMPTY;
    if (fieldsV1 !== each.fieldsV1) isSame = false;
    if (!isEmptySet(fieldsV1)) kept.push(fieldsV1 === each.fieldsV1 ? each : { ...each, fieldsV1 });
  }
  return { kept, isSame };
}

/** The oldest updaters become one bucket for each version, so that managers without number do not fill the object. */
function withinCap(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  const updaters = sorted(entries.filter(({ operation }) => operation === "Update"));
  if (updaters.length <= MAX_UPDATE_MANAGERS) return entries;
  let count = updaters.length;
  const firstOf = new Map<string, ManagedFieldsEntry>();
  const buckets = new Map<string, ManagedFieldsEntry>();
  const gone = new Set<ManagedFieldsEntry>();
  for (const each of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) break;
    const first = firstOf.get(each.apiVersion);
    if (first === undefined) {
      firstOf.set(each.apiVersion, each);
      continue;
    }
    const { apiVersion, time } = each;
    const identity = { manager: ANCIENT_CHANGES, operation: "Update" as const, apiVersion, subresource: "" };
    const bucket = buckets.get(apiVersion) ?? updaters.find((updater) => isEntryOf(updater, identity)) ?? first;
    gone.add(bucket).add(each);
    const fieldsV1 = union(bucket.fieldsV1, each.fieldsV1);
    buckets.set(apiVersion, entry({ ...identity, time, fieldsV1 }));
    count--;
  }
  return [...entries.filter((each) => !gone.has(each)), ...buckets.values()];
}

/** What others own of the fields that an apply changes. */
export function conflictsOf(
  entries: readonly ManagedFieldsEntry[],
  changes: Changes,
  identity: ManagerIdentity,
): Conflict[] {
  return entries
    .filter((each) => !isEntryOf(each, identity))
    .map((owner) => ({ owner, fields: intersection(owner.fieldsV1, changes.in(owner.apiVersion)?.changed ?? EMPTY) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** The entries after an apply: the applier owns what it configures, others lose what was changed or removed. An apply
 *  that only shares what is there gets no time, as upstream's. */
export function entriesAfterApply(
  entries: readonly ManagedFieldsEntry[],
  changes: Changes,
  { identity, time, applied }: { identity: ManagerIdentity; time: string | undefined; applied: FieldSet },
): readonly ManagedFieldsEntry[] {
  const former = entries.find((each) => isEntryOf(each, identity));
  const others = former ? entries.filter((each) => each !== former) : entries;
  const { kept, isSame } = keptBy(others, changes);
  const own = ownable(applied);
  const isSameOwn = former
    ? former.apiVersion === identity.apiVersion && sameSet(former.fieldsV1, own)
    : isEmptySet(own);
  if (isSame && isSameOwn && time === undefined) return entries;
  if (!isEmptySet(own)) kept.push(entry({ ...identity, time: time ?? former?.time, fieldsV1: own }));
  return sorted(kept);
}
