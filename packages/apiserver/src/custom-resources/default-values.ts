// Fills in the defaults of a custom resource's schema and drops the nulls that it does not allow (apiextensions-apiserver
// pkg/apiserver/schema/defaulting). Changes the object in place.

import type { JsonObject } from "../apply/field-type.js";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import { propertyOf } from "./prune.js";

/** Removes nulls where the schema has neither nullable nor a default (upstream: PruneNonNullableNullsWithoutDefaults). */
export function dropNulls(value: unknown, schema: JsonSchema | undefined): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = schema && itemsOf(schema);
    for (const item of value) dropNulls(item, items);
    return;
  }
  const object = value as JsonObject;
  for (const [name, field] of Object.entries(object)) {
    const below = propertyOf(schema, name) ?? (schema && valuesOf(schema));
    if (field === null && below && !below.nullable && below.default === undefined) delete object[name];
    else dropNulls(field, below);
  }
}

/** Sets what is absent, or null without being nullable, and has a default. */
export function applyDefaultValues(value: unknown, schema: JsonSchema | undefined): void {
  if (!schema || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    if (!items) return;
    for (const [index, item] of value.entries()) {
      if (isReplaced(item, items)) value[index] = structuredClone(items.default);
      applyDefaultValues(value[index], items);
    }
    return;
  }
  const object = value as JsonObject;
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined || property.default === null) continue;
    if (!Object.hasOwn(object, name) || isReplaced(object[name], property)) set(object, name, property.default);
  }
  const values = valuesOf(schema);
  for (const name of Object.keys(object)) {
    const property = propertyOf(schema, name);
    if (!property && values && isReplaced(object[name], values)) set(object, name, values.default);
    applyDefaultValues(object[name], property ?? values);
  }
}

function isReplaced(value: unknown, schema: JsonSchema): boolean {
  return value === null && !schema.nullable && schema.default !== undefined;
}

/** Sets a field whatever its name: __proto__ is one like any other. */
function set(object: JsonObject, name: string, value: unknown): void {
  const field = { value: structuredClone(value), enumerable: true, writable: true, configurable: true };
  Object.defineProperty(object, name, field);
}
