// What sets and maps among a custom resource's lists must keep to: no item twice (apiextensions-apiserver
// pkg/apiserver/schema/listtype: ValidateListSetsAndMaps). Pure.

import { duplicate, type FieldError } from "@picokube/api/validation/field-error";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import { propertyOf } from "./prune.js";

/** Faults of the value and of all below it. */
export function validateListTypes(value: unknown, schema: JsonSchema | undefined, path = ""): FieldError[] {
  if (!schema || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return [
      ...validateUnique(value, schema, path),
      ...value.flatMap((item: unknown, index) => validateListTypes(item, items, `${path}[${index}]`)),
    ];
  }
  return Object.entries(value).flatMap(([name, field]) =>
    validateListTypes(field, propertyOf(schema, name) ?? valuesOf(schema), path === "" ? name : `${path}.${name}`),
  );
}

function validateUnique(list: readonly unknown[], schema: JsonSchema, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  if (listType !== "set" && listType !== "map") return [];
  const names = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  const faults: FieldError[] = [];
  for (const [index, item] of list.entries()) {
    const identity = listType === "set" ? item : keysOf(item, names);
    const text = JSON.stringify(identity, sortedFields);
    if (seen.has(text)) faults.push(duplicate(`${path}[${index}]`, identity));
    seen.add(text);
  }
  return faults;
}

function keysOf(item: unknown, names: readonly string[]): unknown {
  if (typeof item !== "object" || item === null) return item;
  const fields = item as { [name: string]: unknown };
  return Object.fromEntries(names.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]));
}

function sortedFields(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
