// Objects as meta.k8s.io/v1 Tables, which kubectl prints, and as PartialObjectMetadata. Pure; columns are the
// definition's.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { DEFAULT_COLUMNS } from "../registry/columns.js";
import type { Column, ResourceDefinition } from "../registry/resource-definition.js";
import { metadataBytes } from "../storage/codec.js";

const ROW_END = Buffer.from("}");
const PARTIAL_HEAD = Buffer.from('{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":');
const PARTIAL_END = Buffer.from("}");

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
  const columns = withColumns ? columnDefinitionsOf(columnsOf(definition)) : "null";
  const head = JSON.stringify({ kind: "Table", apiVersion: "meta.k8s.io/v1", metadata });
  return `${head.slice(0, -1)},"columnDefinitions":${columns},"rows":[`;
}

/** One row; bytes are the object's own. */
export function tableRow(
  object: KubernetesObject,
  options: { definition: ResourceDefinition; includeObject: IncludeObject; bytes: Buffer; nowMs: number },
): string {
  const { definition, includeObject, bytes, nowMs } = options;
  const cells = columnsOf(definition).map((column) => cellJson(column, object, nowMs));
  const conditions = conditionsJson(definition, object);
  return rowBytes({ cells, conditions, includeObject, bytes }).toString();
}

/** The columns that the kind's Tables have. */
export function columnsOf({ columns }: ResourceDefinition): readonly Column<KubernetesObject>[] {
  return columns ?? DEFAULT_COLUMNS;
}

/** One cell as JSON; never throws. */
export function cellJson(column: Column<KubernetesObject>, object: KubernetesObject, nowMs: number): string {
  try {
    return JSON.stringify(column.cell(object, nowMs) ?? null);
  } catch {
    return '"<error>"';
  }
}

/** A row's conditions as JSON; "" for none. */
export function conditionsJson(definition: ResourceDefinition, object: KubernetesObject): string {
  const conditions = definition.rowConditions?.(object) ?? [];
  return conditions.length > 0 ? JSON.stringify(conditions) : "";
}

/** A row of cells and conditions that are JSON already. */
export function rowBytes({
  cells,
  conditions,
  includeObject,
  bytes,
  metadataEnd,
}: {
  cells: readonly string[];
  conditions: string;
  includeObject: IncludeObject;
  bytes: Buffer;
  /** Where the metadata ends in the bytes, when that is known. */
  metadataEnd?: number;
}): Buffer {
  const shown = conditions === "" ? "" : `,"conditions":${conditions}`;
  const head = Buffer.from(`{"cells":[${cells.join(",")}]${shown},"object":`);
  switch (includeObject) {
    case "None":
      return Buffer.concat([head, Buffer.from("null}")]);
    case "Object":
      return Buffer.concat([head, bytes, ROW_END]);
    default:
      return Buffer.concat([head, PARTIAL_HEAD, metadataBytes(bytes, metadataEnd), PARTIAL_END, ROW_END]);
  }
}

/** The object of these bytes reduced to its metadata, as bytes. */
export function partialMetadataBytes(bytes: Buffer): Buffer {
  return Buffer.concat([PARTIAL_HEAD, metadataBytes(bytes), PARTIAL_END]);
}
