// Field management as the writers use it: tracks who changed what in a write, and applies a configuration (apimachinery
// util/managedfields). Joins the parts of this folder; stores nothing and answers nobody.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { GroupVersionKind } from "@picokube/api/resource";
import { schemaOf } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { formatTime } from "@picokube/api/time";
import { sameJson } from "../storage/same-json.js";
import { appliedSet } from "./applied-set.js";
import { compare, createdSet } from "./compare.js";
import { applyConflict, conflictSet, withoutFields } from "./conflicts.js";
import { difference, EMPTY, type FieldSet, isEmptySet, union } from "./field-set.js";
import { ANY, type JsonObject } from "./field-type.js";
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
import { conflictsOf, entriesAfterApply, entriesAfterUpdate, ownable } from "./ownership.js";
import { prune } from "./prune.js";

const BEFORE_FIRST_APPLY = "before-first-apply";

/** A write as field management sees it. */
export interface FieldWrite {
  readonly kind: GroupVersionKind;
  /** What the entries say: the version that the fields are of. */
  readonly apiVersion: string;
  readonly manager: string;
  readonly subresource: string;
  readonly nowMs: number;
  /** True: a write of the object itself leaves its status alone, so nobody owns it by that. */
  readonly ignoreStatus: boolean;
}

/** The schema that ownership follows; kinds without one are owned as their values suggest. */
export function ownershipSchema(kind: GroupVersionKind): Schema {
  return schemaOf(kind) ?? ANY;
}

/** Writes managedFields into an object that is created (no live one) or updated. In place; never throws. */
export function trackWrite(live: KubernetesObject | undefined, object: KubernetesObject, write: FieldWrite): void {
  const entries = entriesToStartFrom(live, object, write);
  // An object that nobody tracked so far stays so until somebody applies.
  setEntries(object, entries);
  if (live && entries.length === 0) return;
  const schema = ownershipSchema(write.kind);
  const before = live && comparable(live, write);
  const after = comparable(object, write);
  const comparison = before ? compare(before, after, schema) : { changed: createdSet(after, schema), removed: EMPTY };
  const identity = identityOf(write, "Update");
  setEntries(object, entriesAfterUpdate(entries, comparison, { identity, time: formatTime(write.nowMs) }));
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

function identityOf(
  { manager, apiVersion, subresource }: FieldWrite,
  operation: ManagerIdentity["operation"],
): ManagerIdentity {
  return { manager, operation, apiVersion, subresource };
}

/** The object as it is compared: without its entries. */
function comparable(object: KubernetesObject, { ignoreStatus }: FieldWrite): object {
  const { managedFields: _managedFields, ...metadata } = object.metadata;
  return ignoreStatus ? { ...object, metadata, status: undefined } : { ...object, metadata };
}

/** A configuration to be applied. */
export interface Application extends FieldWrite {
  /** Decoded. */
  readonly config: JsonObject;
  /** As it came, for kubectl's annotation. */
  readonly sent: JsonObject;
  /** Takes over the fields of others. */
  readonly force: boolean;
  /** Decodes another object of the kind; undefined when it is none. */
  decode(value: JsonObject): object | undefined;
}

/** The live object (none: a new one) with the configuration applied. Throws 409 for the fields of others. */
export function applyConfiguration(live: KubernetesObject | undefined, application: Application): KubernetesObject {
  const { config, sent, force, manager } = application;
  const schema = ownershipSchema(application.kind);
  const before = live ? comparable(live, { ...application, ignoreStatus: false }) : {};
  const entries = live ? trackedEntries(live, application, schema) : [];
  const identity = identityOf(application, "Apply");
  const applied = appliedSet(config, schema);
  const former = entries.find((each) => isEntryOf(each, identity))?.fieldsV1 ?? EMPTY;
  const others = entries.filter((each) => !isEntryOf(each, identity)).map(({ fieldsV1 }) => fieldsV1);
  const managed = others.reduce<FieldSet>(union, applied);
  const object = prune(merge(before, config, schema) as object, { former, managed, schema }) as KubernetesObject;
  const comparison = compare(before, object, schema);
  let conflicts = force ? [] : conflictsOf(entries, comparison, identity);
  if (live && conflicts.length > 0 && manager === KUBECTL) {
    const allowed = allowedByLastApplied(live, { ...application, schema });
    if (isEmptySet(difference(conflictSet(conflicts), allowed))) conflicts = [];
    else conflicts = withoutFields(conflicts, allowed);
  }
  if (conflicts.length > 0) throw applyConflict(conflicts);
  // The live object and its private copies must not share what is changed below.
  object.metadata = { ...object.metadata };
  const time = formatTime(application.nowMs);
  setEntries(object, entriesAfterApply(entries, comparison, { identity, time, applied }));
  if (manager === KUBECTL) syncLastApplied(object, sent);
  return object;
}

/** What an object that nobody tracked so far has belongs to nobody in particular. */
function trackedEntries(
  live: KubernetesObject,
  application: Application,
  schema: Schema,
): readonly ManagedFieldsEntry[] {
  const entries = entriesOf(live);
  if (entries.length > 0) return entries;
  const changed = ownable(createdSet(comparable(live, application), schema));
  const identity = { ...identityOf(application, "Update"), manager: BEFORE_FIRST_APPLY };
  const time = formatTime(application.nowMs);
  return entriesAfterUpdate([], { changed, removed: EMPTY }, { identity, time });
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
