// Takes out of a custom resource what its schema does not know, and tells the paths (apiextensions-apiserver
// pkg/apiserver/schema/pruning). Changes the object in place; judges no values.

import type { JsonObject } from "../apply/field-type.js";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";

/** What every resource has, in a schema or not. */
export const META_FIELDS: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata"]);

/** Prunes a whole resource; returns the paths of what went, sorted. */
export function pruneUnknown(object: JsonObject, schema: JsonSchema): string[] {
  const pruned: string[] = [];
  prune(object, { ...schema, "x-kubernetes-embedded-resource": true }, { path: "", preserve: false, pruned });
  return pruned.sort();
}

interface Place {
  readonly path: string;
  /** Inside of what keeps unknown fields: only what is specified below is pruned again. */
  readonly preserve: boolean;
  readonly pruned: string[];
}

function prune(value: unknown, schema: JsonSchema | undefined, at: Place): void {
  if (typeof value !== "object" || value === null) return;
  const preserve = schema?.["x-kubernetes-preserve-unknown-fields"] === true || (at.preserve && schema === undefined);
  const { pruned } = at;
  if (Array.isArray(value)) {
    const items = schema && itemsOf(schema);
    for (const [index, item] of value.entries()) {
      prune(item, items, { path: `${at.path}[${index}]`, preserve, pruned });
    }
    return;
  }
  const object = value as JsonObject;
  for (const [name, field] of Object.entries(object)) {
    if (schema?.["x-kubernetes-embedded-resource"] && META_FIELDS.has(name)) continue;
    const path = at.path === "" ? name : `${at.path}.${name}`;
    const property = propertyOf(schema, name);
    if (property) prune(field, property, { path, preserve: false, pruned });
    else if (schema?.additionalProperties) prune(field, valuesOf(schema), { path, preserve, pruned });
    else if (preserve) prune(field, undefined, { path, preserve, pruned });
    else {
      pruned.push(path);
      delete object[name];
    }
  }
}

/** The schema of a field that is named in the properties; "constructor" may be one. */
export function propertyOf(schema: JsonSchema | undefined, name: string): JsonSchema | undefined {
  const properties = schema?.properties;
  return properties && Object.hasOwn(properties, name) ? (properties[name] ?? {}) : undefined;
}
