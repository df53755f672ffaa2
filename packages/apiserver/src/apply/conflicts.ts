// What an apply says when others own what it would change (apimachinery util/managedfields/internal/conflict.go).

import { StatusError } from "@picokube/api/errors";
import { difference, EMPTY, type FieldSet, isEmptySet, isMember, pathText, union } from "./field-set.js";
import type { ManagedFieldsEntry } from "./managed-fields.js";

/** Fields of another manager that an apply would change. */
export interface Conflict {
  readonly owner: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** All conflicting fields, whoever owns them. */
export function conflictSet(conflicts: readonly Conflict[]): FieldSet {
  return conflicts.reduce<FieldSet>((set, { fields }) => union(set, fields), EMPTY);
}

/** The conflicts that remain when these fields may be taken. */
export function withoutFields(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts
    .map(({ owner, fields }) => ({ owner, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmptySet(fields));
}

/** 409 with a cause for each field: upstream's NewApplyConflict. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const named = [...conflicts]
    .sort((a, b) => (identifierOf(a.owner) < identifierOf(b.owner) ? -1 : 1))
    .map(({ owner, fields }) => ({ owner: ownerText(owner), paths: [...pathsInOrder(fields)].map(pathText) }));
  const causes = named.flatMap(({ owner, paths }) =>
    paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${owner}`, field })),
  );
  const lines = named.flatMap(({ owner, paths }) => [`conflicts with ${owner}:`, ...paths.map((path) => `- ${path}`)]);
  const [only] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only!.message}: ${only!.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join("\n")}`;
  return new StatusError({ code: 409, reason: "Conflict", message, details: { causes } });
}

/** As upstream walks a set: all paths that end at a level before those that go on below it. */
function* pathsInOrder(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  const below = Object.entries(set).filter(([element]) => element !== ".");
  for (const [element, node] of below) if (isMember(node)) yield [...above, element];
  for (const [element, node] of below) yield* pathsInOrder(node, [...above, element]);
}

/** What upstream sorts managers by (BuildManagerIdentifier). */
function identifierOf({ manager = "", operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  return JSON.stringify({
    ...(manager ? { manager } : {}),
    operation,
    ...(operation === "Update" ? { apiVersion } : {}),
    ...(subresource ? { subresource } : {}),
  });
}

function ownerText({ manager = "", operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const quoted = JSON.stringify(manager);
  const named = subresource ? `${quoted} with subresource ${JSON.stringify(subresource)}` : quoted;
  return operation === "Update" ? `${named} using ${apiVersion}` : named;
}
