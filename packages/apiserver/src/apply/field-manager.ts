// Field management as the writers use it: tracks who changed what in a write, and applies a configuration (apimachinery
// util/managedfields). Joins the parts of this folder; stores nothing and answers nobody.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { formatTime } from "@picokube/api/time";
import { sameJson } from "../storage/same-json.js";
import { appliedSet } from "./applied-set.js";
import { compare, createdSet } from "./compare.js";
import { applyConflict, conflictSet, withoutFields } from "./conflicts.js";
import { difference, EMPTY, isEmptySet } from "./field-set.js";
import type { JsonObject } from "./field-type.js";
import { allowedByLastApplied, KUBECTL, syncLastApplied } from "./last-applied.js";
import {
  entriesOf,
  isEntryOf,
  isReset,
  type ManagedFieldsEntry,
  type ManagerIdentity,
  parseEntries,
  setEntries,
} from "./managed-fields.js";
import { merge } from "./merge.js";
import { conflictsOf, entriesAfterApply, entriesAfterUpdate } from "./ownership.js";
import { prune } from "./prune.js";
import { Changes, type Versioning } from "./versions.js";

/** In whose name stands what an object had before anybody applied to it. */
export const BEFORE_FIRST_APPLY = "before-first-apply";

/** A write as field management sees it. */
export interface FieldWrite extends Versioning {
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
}

/** Writes managedFields into an object that is created (no live one) or updated. In place; never throws. */
export function trackWrite(live: KubernetesObject | undefined, object: KubernetesObject, write: FieldWrite): void {
  const entries = entriesToStartFrom(live, object, write);
  // An object that nobody tracked so far stays so until somebody applies.
  setEntries(object, entries);
  if (live && entries.length === 0) return;
  const schema = write.schemaIn(write.apiVersion);
  const before = live ? comparable(live) : {};
  const after = comparable(object);
  const own = live ? compare(before, after, schema) : { changed: createdSet(after, schema), removed: EMPTY };
  const changes = new Changes({ before, after, versioning: write, own });
  const identity = identityOf(write, "Update");
  setEntries(object, entriesAfterUpdate(entries, changes, { identity, time: formatTime(write.nowMs) }));
}

/** The live object's entries, unless the client sends others that are right. */
function entriesToStartFrom(
  live: KubernetesObject | undefined,
  object: KubernetesObject,
  { subresource }: FieldWrite,
): readonly ManagedFieldsEntry[] {
  const known = live ? entriesOf(live) : [];
  const sent: readonly unknown[] | undefined = object.metadata.managedFields;
  if (subresource !== "" || sent === undefined || sent.length === 0) return known;
  if (isReset(sent)) return [];
  if (sameJson(sent, known)) return known;
  try {
    const parsed = parseEntries(sent);
    return parsed.length > 0 ? parsed : known;
  } catch {
    return known;
  }
}

/** What tells the write's entry from others. */
export function identityOf(
  { manager, apiVersion, subresource }: Pick<FieldWrite, "manager" | "apiVersion" | "subresource">,
  operation: ManagerIdentity["operation"],
): ManagerIdentity {
  return { manager, operation, apiVersion, subresource };
}

/** The object as it is compared: without its entries. */
function comparable(object: KubernetesObject): object {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** A configuration to be applied. */
export interface Application extends FieldWrite {
  /** As it came and was checked: nulls and empty values claim their fields too. */
  readonly config: JsonObject;
  /** Takes over the fields of others. */
  readonly force: boolean;
  /** Makes a private object of what the merge has made: nulls gone, quantities in their canonical form. */
  decode(merged: JsonObject): KubernetesObject;
}

/** The live object (none: a new one) with the configuration applied. Throws 409 for the fields of others. */
export function applyConfiguration(live: KubernetesObject | undefined, application: Application): KubernetesObject {
  const { config, force, manager, owned } = application;
  const schema = application.schemaIn(application.apiVersion);
  const before = live ? comparable(live) : {};
  const entries = live ? trackedEntries(live, application) : [];
  const identity = identityOf(application, "Apply");
  const applied = owned(appliedSet(config, schema));
  const former = entries.find((each) => isEntryOf(each, identity));
  const others = entries.filter((each) => each !== former);
  const merged = merge(before, config, schema) as object;
  const pruned = prune(merged, { former, others, applied, versioning: application });
  const own = compare(before, pruned, schema);
  const changes = new Changes({ before, after: pruned, versioning: application, own });
  let conflicts = force ? [] : conflictsOf(entries, changes, identity);
  if (live && conflicts.length > 0 && manager === KUBECTL) {
    const allowed = allowedByLastApplied(live, application);
    if (isEmptySet(difference(conflictSet(conflicts), allowed))) conflicts = [];
    else conflicts = withoutFields(conflicts, allowed);
  }
  if (conflicts.length > 0) throw applyConflict(conflicts);
  const object = application.decode(pruned as JsonObject);
  const isSame = live !== undefined && isEmptySet(own.changed) && isEmptySet(own.removed);
  const time = isSame ? undefined : formatTime(application.nowMs);
  setEntries(object, entriesAfterApply(entries, changes, { identity, time, applied }));
  if (manager === KUBECTL) syncLastApplied(object, config);
  return object;
}

/** What an object that nobody tracked so far has belongs to nobody in particular. */
function trackedEntries(live: KubernetesObject, application: Application): readonly ManagedFieldsEntry[] {
  const entries = entriesOf(live);
  if (entries.length > 0) return entries;
  const after = comparable(live);
  const own = { changed: createdSet(after, application.schemaIn(application.apiVersion)), removed: EMPTY };
  const changes = new Changes({ before: {}, after, versioning: application, own });
  const identity = { ...identityOf(application, "Update"), manager: BEFORE_FIRST_APPLY };
  return entriesAfterUpdate([], changes, { identity, time: formatTime(application.nowMs) });
}

/** Takes back new times when nothing else of the object is new, so that such a write is none. In place. */
export function keepTimesOfNoChange(old: KubernetesObject, object: KubernetesObject): void {
  const before = old.metadata.managedFields;
  const after = object.metadata.managedFields;
  if (before === undefined || after === undefined || before === after || before.length !== after.length) return;
  const withoutTime = (entries: readonly object[]) => entries.map((each) => ({ ...each, time: undefined }));
  if (!sameJson(withoutTime(before), withoutTime(after))) return;
  if (sameJson(withoutEntries(old), withoutEntries(object))) object.metadata.managedFields = before;
}

function withoutEntries(object: KubernetesObject): object {
  return { ...object, metadata: { ...object.metadata, managedFields: undefined } };
}
