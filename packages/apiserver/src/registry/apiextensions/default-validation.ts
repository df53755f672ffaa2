// Whether the defaults in a schema fit it, in upstream's words (upstream: structuraldefaulting.ValidateDefaults): types
// and unknown fields. Pure; patterns and CEL rules are not asked.

import { type FieldError, invalidValue, typeInvalid } from "@picokube/api/validation/field-error";
import { entriesOf, itemsOf, type JsonSchema, valuesOf } from "./json-schema.js";

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function validateValue(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const actual = typeOf(value);
  if (actual === "null" && schema.nullable) return [];
  const { type = "" } = schema;
  if (schema["x-kubernetes-int-or-string"]) {
    if (actual === "integer" || actual === "string") return [];
    return [typeInvalid(path, actual, `${path} in body must be of type integer,string: "${actual}"`)];
  }
  if (type !== "" && actual !== type && !(type === "number" && actual === "integer")) {
    return [typeInvalid(path, actual, `${path} in body must be of type ${type}: "${actual}"`)];
  }
  if (actual === "array") {
    const items = itemsOf(schema);
    return items ? (value as unknown[]).flatMap((each, i) => validateValue(each, items, `${path}[${i}]`)) : [];
  }
  if (actual !== "object") return [];
  return Object.entries(value as object).flatMap(([name, each]) => {
    const child = schema.properties?.[name] ?? valuesOf(schema);
    return child ? validateValue(each, child, `${path}.${name}`) : [];
  });
}

function hasUnknown(value: unknown, schema: JsonSchema): boolean {
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return items !== undefined && value.some((each) => hasUnknown(each, items));
  }
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([name, each]) => {
    const child = schema.properties?.[name] ?? valuesOf(schema);
    if (child) return hasUnknown(each, child);
    return !schema["x-kubernetes-preserve-unknown-fields"] && schema.additionalProperties !== true;
  });
}

/** The default of a schema and of all below it. */
export function validateDefaults(schema: JsonSchema, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const at = `${path}.default`;
  if (schema.default !== undefined && schema.default !== null) {
    if (hasUnknown(schema.default, schema)) {
      faults.push(invalidValue(at, schema.default, "must not have unknown fields"));
    }
    faults.push(...validateValue(schema.default, schema, at));
  }
  const items = itemsOf(schema);
  if (items) faults.push(...validateDefaults(items, `${path}.items`));
  for (const [name, child] of entriesOf(schema.properties)) {
    faults.push(...validateDefaults(child, `${path}.properties[${name}]`));
  }
  return faults;
}
