// Objects as meta.k8s.io/v1 Tables, which kubectl prints, and as PartialObjectMetadata. Pure; columns are the
// definition's.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { DEFAULT_COLUMNS } from "../registry/columns.js";
import type { Column, ResourceDefinition } from "../registry/resource-definition.js";

/** Which object stands beside each row. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** The parameter's value; throws 400 for any other word. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

/** columnDefinitions as JSON, made when a kind's Table is first asked for. */
const columnDefinitions = new WeakMap<readonly Column<never>[], string>();

function columnDefinitionsOf(columns: readonly Column<KubernetesObject>[]): string {
  let json = columnDefinitions.get(columns);
  if (json === undefined) {
    json = JSON.stringify(
      columns.map(({ name, type, format = "", description, priority }) => ({
        name,
        type,
        format,
        description,
        priority,
      })),
    );
    columnDefinitions.set(columns, json);
  }
  return json;
}

/** The table's head: everything but its rows. */
export function tableHead(definition: ResourceDefinition, metadata: object, withColumns = true): string {
  const columns = withColumns ? columnDefinitionsOf(definition.columns ?? DEFAULT_COLUMNS) : "null";
  const head = JSON.stringify({ kind: "Table", apiVersion: "meta.k8s.io/v1", metadata });
  return `${head.slice(0, -1)},"columnDefinitions":${columns},"rows":[`;
}

/** One row; bytes are the object's own. */
export function tableRow(
  object: KubernetesObject,
  options: { definition: ResourceDefinition; includeObject: IncludeObject; bytes: Buffer; nowMs: number },
): string {
  const { definition, includeObject, bytes, nowMs } = options;
  const cells = (definition.columns ?? DEFAULT_COLUMNS).map((column) => {
    try {
      return column.cell(object, nowMs) ?? null;
    } catch {
      return "<error>";
    }
  });
  const conditions = definition.rowConditions?.(object) ?? [];
  const shown = conditions.length > 0 ? `,"conditions":${JSON.stringify(conditions)}` : "";
  return `{"cells":${JSON.stringify(cells)}${shown},"object":${rowObject(object, includeObject, bytes)}}`;
}

function rowObject(object: KubernetesObject, includeObject: IncludeObject, bytes: Buffer): string {
  switch (includeObject) {
    case "None":
      return "null";
    case "Object":
      return bytes.toString();
    default:
      return JSON.stringify(partialMetadata(object));
  }
}

/** The object reduced to its metadata. */
export function partialMetadata(object: KubernetesObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
