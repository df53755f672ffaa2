// Objects as meta.k8s.io/v1 Tables, which kubectl prints, and as PartialObjectMetadata. Pure; columns are the
// definition's.

import { badRequest } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Column } from "../registry/resource-definition.js";

/** Which object stands beside each row. */
export type IncludeObject = "None" | "Metadata" | "Object";

/** What objects without columns of their own show. */
export const DEFAULT_COLUMNS: readonly Column<KubernetesObject>[] = [
  {
    name: "Name",
    type: "string",
    format: "name",
    description: "Name must be unique within a namespace.",
    priority: 0,
    cell: (object) => object.metadata.name,
  },
  {
    name: "Created At",
    type: "date",
    description: "CreationTimestamp is a timestamp representing the server time when this object was created.",
    priority: 0,
    cell: (object) => object.metadata.creationTimestamp,
  },
];

/** The parameter's value; throws 400 for any other word. */
export function includeObjectOf(query: URLSearchParams): IncludeObject {
  const value = query.get("includeObject") ?? "";
  if (value === "") return "Metadata";
  if (value === "None" || value === "Metadata" || value === "Object") return value;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

/** The table's head: everything but its rows. */
export function tableHead(columns: readonly Column<KubernetesObject>[], metadata: object, withColumns = true): string {
  const definitions = columns.map(({ name, type, format = "", description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
  const head = {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: withColumns ? definitions : null,
  };
  return `${JSON.stringify(head).slice(0, -1)},"rows":[`;
}

/** One row; bytes are the object's own. */
export function tableRow(
  object: KubernetesObject,
  options: { columns: readonly Column<KubernetesObject>[]; includeObject: IncludeObject; bytes: Buffer; nowMs: number },
): string {
  const cells = options.columns.map((column) => {
    try {
      return column.cell(object, options.nowMs) ?? null;
    } catch {
      return "<error>";
    }
  });
  switch (options.includeObject) {
    case "None":
      return `{"cells":${JSON.stringify(cells)},"object":null}`;
    case "Object":
      return `{"cells":${JSON.stringify(cells)},"object":${options.bytes.toString()}}`;
    default:
      return `{"cells":${JSON.stringify(cells)},"object":${JSON.stringify(partialMetadata(object))}}`;
  }
}

/** The object reduced to its metadata. */
export function partialMetadata(object: KubernetesObject): object {
  return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: object.metadata };
}
