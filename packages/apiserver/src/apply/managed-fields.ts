// metadata.managedFields: reads the entries that a client may have sent, tells one manager's from another's, and puts
// them in upstream's order (apimachinery util/managedfields/internal/managedfields.go). Decides nothing about ownership.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type FieldSet, isEmptySet, parseFieldSet } from "./field-set.js";

/** One manager's fields as they stand in metadata. Never changed in place. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly time?: string;
  readonly fieldsType: "FieldsV1";
  readonly fieldsV1: FieldSet;
  readonly subresource?: string;
}

/** Who writes: what tells one entry from another. */
export interface ManagerIdentity {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
}

/** The entries of an object that this server wrote. */
export function entriesOf({ metadata }: KubernetesObject): readonly ManagedFieldsEntry[] {
  return (metadata.managedFields ?? []) as unknown as readonly ManagedFieldsEntry[];
}

/** Writes the entries into an object; none at all leaves the field out. */
export function setEntries({ metadata }: KubernetesObject, entries: readonly ManagedFieldsEntry[]): void {
  if (entries.length === 0) delete metadata.managedFields;
  else metadata.managedFields = entries as never;
}

/** Entries as a client sent them: checked, canonical, in order, the last of each manager's. Throws an Error that says
 *  what is wrong. */
export function parseEntries(sent: readonly unknown[]): readonly ManagedFieldsEntry[] {
  const byIdentity = new Map<string, ManagedFieldsEntry>();
  for (const value of sent) {
    const parsed = parseEntry(value);
    const { manager = "", operation, apiVersion, subresource = "" } = parsed;
    const version = operation === "Apply" ? "" : apiVersion;
    byIdentity.set(JSON.stringify([manager, operation, version, subresource]), parsed);
  }
  return sorted([...byIdentity.values()].filter(({ fieldsV1 }) => !isEmptySet(fieldsV1)));
}

function parseEntry(value: unknown): ManagedFieldsEntry {
  const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = (value ?? {}) as {
    [field: string]: unknown;
  };
  if (operation !== "Apply" && operation !== "Update") throw new Error("operation must be `Apply` or `Update`");
  if (typeof apiVersion !== "string" || apiVersion === "") throw new Error("apiVersion must not be empty");
  if (fieldsType === undefined || fieldsType === "") throw new Error("missing fieldsType in managed fields entry");
  if (fieldsType !== "FieldsV1") throw new Error(`invalid fieldsType ${JSON.stringify(fieldsType)}`);
  return entry({
    manager: typeof manager === "string" ? manager : "",
    operation,
    apiVersion,
    time: typeof time === "string" ? time : undefined,
    fieldsV1: parseFieldSet(fieldsV1 ?? {}),
    subresource: typeof subresource === "string" ? subresource : "",
  });
}

/** An entry in upstream's order of fields. */
export function entry({
  manager,
  operation,
  apiVersion,
  time,
  fieldsV1,
  subresource,
}: ManagerIdentity & { time: string | undefined; fieldsV1: FieldSet }): ManagedFieldsEntry {
  return {
    ...(manager ? { manager } : {}),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: "FieldsV1",
    fieldsV1,
    ...(subresource ? { subresource } : {}),
  };
}

/** True for the client's word that all ownership is to be forgotten: [{}]. An empty list is no such word. */
export function isReset(sent: readonly unknown[] | undefined): boolean {
  if (sent?.length !== 1) return false;
  return Object.values((sent[0] ?? {}) as object).every((value) => value === undefined || value === "");
}

/** True when the entry is this manager's. An applier keeps its entry across API versions. */
export function isEntryOf(
  { manager = "", operation, apiVersion, subresource = "" }: ManagedFieldsEntry,
  identity: ManagerIdentity,
): boolean {
  return (
    manager === identity.manager &&
    operation === identity.operation &&
    subresource === identity.subresource &&
    (operation === "Apply" || apiVersion === identity.apiVersion)
  );
}

/** Upstream's order: appliers first, then by time, manager, version and subresource. */
export function sorted(entries: readonly ManagedFieldsEntry[]): readonly ManagedFieldsEntry[] {
  return entries.length < 2 ? entries : [...entries].sort(byOperationAndTime);
}

function byOperationAndTime(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    inOrder(a.operation, b.operation) ||
    inOrder(a.time ?? "", b.time ?? "") ||
    inOrder(a.manager ?? "", b.manager ?? "") ||
    inOrder(a.apiVersion, b.apiVersion) ||
    inOrder(a.subresource ?? "", b.subresource ?? "")
  );
}

function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
