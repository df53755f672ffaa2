// The columns of a custom resource's Table (apiextensions-apiserver pkg/registry/customresource/tableconvertor). Pure.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { ageColumn, column, nameColumn, timestampSince } from "../registry/columns.js";
import type { Column } from "../registry/resource-definition.js";
import { type JsonPath, jsonPath } from "./json-path.js";

type Version = NonNullable<CustomResourceDefinition["spec"]>["versions"][number];
type PrinterColumn = NonNullable<Version["additionalPrinterColumns"]>[number];

/** Name and what the version declares; Age when it declares nothing. */
export function printerColumns(declared: readonly PrinterColumn[] = []): Column<KubernetesObject>[] {
  if (declared.length === 0) return [nameColumn, { ...ageColumn, type: "date" }];
  return [nameColumn, ...declared.map(printerColumn)];
}

function printerColumn({ name, type, format, description, priority = 0, jsonPath: path }: PrinterColumn) {
  const find = compiled(path);
  const cell = (object: KubernetesObject, now: number) => {
    const [value] = find(object);
    return value === undefined ? null : cellOf(type, value, now);
  };
  const made = column(name, cell, {
    type: type as Column<unknown>["type"],
    ...(format ? { format } : {}),
    description: description || `Custom resource definition column (in JSONPath format): ${path}`,
  });
  return { ...made, priority };
}

/** A path that cannot be read finds nothing. */
function compiled(path: string): JsonPath {
  try {
    return jsonPath(path);
  } catch {
    return () => [];
  }
}

/** A value as a cell of the column's type; null when it is of another (upstream: cellForJSONValue). */
function cellOf(type: string, value: unknown, now: number): string | number | boolean | null {
  switch (type) {
    case "string":
      return textOf(value);
    case "integer":
      return typeof value === "number" ? Math.trunc(value) : null;
    case "number":
      return typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      if (typeof value !== "string") return null;
      return Number.isNaN(Date.parse(value)) ? "<invalid>" : timestampSince(value, now);
    default:
      return null;
  }
}

/** A value as text: lists and maps as JSON (upstream: jsonpath.PrintResults). */
function textOf(value: unknown): string {
  if (value === null) return "<no value>";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
