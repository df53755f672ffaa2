// What an apply says when others own what it would change (apimachinery util/managedfields/internal/conflict.go).

import { StatusError } from "@picokube/api/errors";
import { difference, EMPTY, type FieldSet, isEmptySet, pathsOf, pathText, union } from "./field-set.js";
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
  const named = conflicts
    .map(({ owner, fields }) => ({ owner: ownerText(owner), paths: [...pathsOf(fields)].map(pathText).sort() }))
    .sort((a, b) => (a.owner < b.owner ? -1 : 1));
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

function ownerText({ manager = "", operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const quoted = JSON.stringify(manager);
  const named = subresource ? `${quoted} with subresource ${JSON.stringify(subresource)}` : quoted;
  return operation === "Update" ? `${named} using ${apiVersion}` : named;
}
