// Who owns which fields after a write (structured-merge-diff merge/update.go, apimachinery util/managedfields). Works on
// the entries as they stand: an entry that a write does not touch stays the very object it was. Throws nothing.

import type { Comparison } from "./compare.js";
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
  { changed, removed }: Comparison,
  { identity, time }: { identity: ManagerIdentity; time: string },
): readonly ManagedFieldsEntry[] {
  if (isEmptySet(changed) && isEmptySet(removed)) return entries;
  const gained = ownable(changed);
  let own: FieldSet = EMPTY;
  let isSame = true;
  const left: ManagedFieldsEntry[] = [];
  for (const each of entries) {
    const kept = difference(difference(each.fieldsV1, changed), removed);
    if (isEntryOf(each, identity) && !isEmptySet(gained)) {
      own = kept;
      isSame = false;
    } else if (kept === each.fieldsV1) left.push(each);
    else {
      isSame = false;
      if (!isEmptySet(kept)) left.push({ ...each, fieldsV1: kept });
    }
  }
  if (isEmptySet(gained)) return isSame ? entries : left;
  left.push(entry({ ...identity, time, fieldsV1: union(own, gained) }));
  return sorted(withinCap(left));
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
    const bucket = buckets.get(each.apiVersion) ?? first;
    gone.add(first).add(each);
    const { apiVersion, time } = each;
    const fieldsV1 = union(bucket.fieldsV1, each.fieldsV1);
    const identity = { manager: ANCIENT_CHANGES, operation: "Update" as const, apiVersion, subresource: "" };
    buckets.set(apiVersion, entry({ ...identity, time, fieldsV1 }));
    count--;
  }
  return [...entries.filter((each) => !gone.has(each)), ...buckets.values()];
}

/** What others own of the fields that an apply changes. */
export function conflictsOf(
  entries: readonly ManagedFieldsEntry[],
  { changed }: Comparison,
  identity: ManagerIdentity,
): Conflict[] {
  return entries
    .filter((each) => !isEntryOf(each, identity))
    .map((owner) => ({ owner, fields: intersection(owner.fieldsV1, changed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** The entries after an apply: the applier owns what it configures, others lose what was changed or removed. */
export function entriesAfterApply(
  entries: readonly ManagedFieldsEntry[],
  { changed, removed }: Comparison,
  { identity, time, applied }: { identity: ManagerIdentity; time: string; applied: FieldSet },
): readonly ManagedFieldsEntry[] {
  const former = entries.find((each) => isEntryOf(each, identity));
  let isSame = true;
  const left: ManagedFieldsEntry[] = [];
  for (const each of entries) {
    if (each === former) continue;
    const kept = difference(difference(each.fieldsV1, changed), removed);
    if (kept !== each.fieldsV1) isSame = false;
    if (!isEmptySet(kept)) left.push(kept === each.fieldsV1 ? each : { ...each, fieldsV1: kept });
  }
  const own = ownable(applied);
  const objectIsSame = isEmptySet(changed) && isEmptySet(removed);
  const sameOwn = former !== undefined && former.apiVersion === identity.apiVersion && sameSet(former.fieldsV1, own);
  if (isSame && objectIsSame && (sameOwn || (former === undefined && isEmptySet(own)))) return entries;
  if (!isEmptySet(own)) left.push(entry({ ...identity, time, fieldsV1: own }));
  return sorted(left);
}
