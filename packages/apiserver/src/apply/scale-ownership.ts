// Who owns the replicas of an object that is written through its scale: the one field that a Scale shares with it
// (apimachinery managedfields scalehandler.go). Such entries carry no time of their own, as upstream's. Pure.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { applyConflict } from "./conflicts.js";
import { BEFORE_FIRST_APPLY, type FieldWrite, identityOf } from "./field-manager.js";
import { difference, type FieldSet, hasPath, isEmptySet } from "./field-set.js";
import {
  entriesOf,
  entry,
  isEntryOf,
  type ManagedFieldsEntry,
  type ManagerIdentity,
  sorted,
} from "./managed-fields.js";

const SCALE_VERSION = "autoscaling/v1";

/** A write of the field "spec.replicas" through the scale. */
export interface ScaleWrite extends FieldWrite {
  readonly path: string;
}

/** Entries after the replicas were changed by an update or a patch of the scale; the same when nobody owned them. */
export function entriesAfterScale(live: KubernetesObject, write: ScaleWrite): readonly ManagedFieldsEntry[] {
  const entries = entriesOf(live);
  if (!entries.some((each) => owns(each, write.path))) return entries;
  return taken(entries, { identity: identityOf(write, "Update"), path: write.path });
}

/** Entries after a Scale was applied; isChange tells whether its replicas are others. Throws 409 unless forced. */
export function entriesAfterScaleApply(
  live: KubernetesObject,
  write: ScaleWrite,
  { isChange, force }: { isChange: boolean; force: boolean },
): readonly ManagedFieldsEntry[] {
  const identity = identityOf(write, "Apply");
  const entries = tracked(entriesOf(live), write);
  const rivals = entries.filter((each) => owns(each, write.path) && !isEntryOf(each, identity));
  if (!isChange) return shared(entries, { identity, path: write.path });
  if (rivals.length > 0 && !force) {
    const fields = setOf("spec.replicas");
    throw applyConflict(rivals.map((owner) => ({ owner: { ...owner, apiVersion: SCALE_VERSION }, fields })));
  }
  return taken(entries, { identity, path: write.path });
}

/** Replicas of nobody belong to whoever was there before the first apply. */
function tracked(entries: readonly ManagedFieldsEntry[], write: ScaleWrite): readonly ManagedFieldsEntry[] {
  if (entries.some((each) => owns(each, write.path))) return entries;
  const identity = identityOf({ ...write, manager: BEFORE_FIRST_APPLY }, "Update");
  return shared(entries, { identity, path: write.path });
}

interface Taking {
  readonly identity: ManagerIdentity;
  readonly path: string;
}

function taken(entries: readonly ManagedFieldsEntry[], { identity, path }: Taking): readonly ManagedFieldsEntry[] {
  const others: ManagedFieldsEntry[] = [];
  for (const each of entries) {
    const fieldsV1 = isEntryOf(each, identity) ? each.fieldsV1 : difference(each.fieldsV1, setOf(path));
    if (!isEmptySet(fieldsV1)) others.push({ ...each, fieldsV1 });
  }
  return shared(others, { identity, path });
}

function shared(entries: readonly ManagedFieldsEntry[], { identity, path }: Taking): readonly ManagedFieldsEntry[] {
  const former = entries.find((each) => isEntryOf(each, identity));
  if (former && owns(former, path)) return entries;
  return sorted([...entries, entry({ ...identity, time: undefined, fieldsV1: setOf(path) })]);
}

function owns({ fieldsV1 }: ManagedFieldsEntry, path: string): boolean {
  return hasPath(fieldsV1, elementsOf(path));
}

function elementsOf(path: string): string[] {
  return path.split(".").map((field) => `f:${field}`);
}

function setOf(path: string): FieldSet {
  return elementsOf(path).reduceRight<FieldSet>((below, element) => ({ [element]: below }), {});
}
