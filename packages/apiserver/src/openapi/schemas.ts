// Turns our schemas into those of OpenAPI v2 and v3, and finds which a document needs. Keeps nothing.

import type { Schema } from "@picokube/api/schema/schema";

/** A JSON value of an OpenAPI document. */
export interface Json {
  [name: string]: unknown;
}

const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

function extensions(schema: Schema): Json {
  const found: Json = {};
  if (schema.listType) found["x-kubernetes-list-type"] = schema.listType;
  if (schema.listMapKeys) found["x-kubernetes-list-map-keys"] = schema.listMapKeys;
  if (schema.mapType) found["x-kubernetes-map-type"] = schema.mapType;
  if (schema.patchStrategy) found["x-kubernetes-patch-strategy"] = schema.patchStrategy;
  if (schema.patchMergeKey) found["x-kubernetes-patch-merge-key"] = schema.patchMergeKey;
  return found;
}

/** Formats of ours that OpenAPI does not know. */
function formatOf(schema: Schema): Json {
  if (!schema.format || schema.format === "quantity") return {};
  return { format: schema.format === "micro-time" ? "date-time" : schema.format };
}

type Reference = (schema: Schema) => Json;

function convert(schema: Schema, reference: Reference): Json {
  if (schema.ref) return reference(schema);
  const result: Json = {};
  if (schema.description) result.description = schema.description;
  if (schema.type) result.type = schema.type;
  Object.assign(result, formatOf(schema));
  if (schema.default !== undefined) result.default = schema.default;
  if (schema.enum) result.enum = schema.enum;
  if (schema.items) result.items = convert(schema.items, reference);
  if (schema.additionalProperties) result.additionalProperties = convert(schema.additionalProperties, reference);
  if (schema.properties) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, property]) => [name, convert(property, reference)]),
    );
  }
  if (schema.required) result.required = schema.required;
  return Object.assign(result, extensions(schema));
}

/** A definition as OpenAPI v2 writes it. */
export function schemaV2(schema: Schema): Json {
  return convert(schema, ({ ref, description, ...rest }) => ({
    ...(description ? { description } : {}),
    $ref: `#/definitions/${ref}`,
    ...extensions(rest),
  }));
}

/** A definition as OpenAPI v3 writes it: references keep their words by allOf, either-or types are told. */
export function schemaV3(name: string, schema: Schema): Json {
  const converted = convert(schema, ({ ref, description, ...rest }) => {
    const $ref = `#/components/schemas/${ref}`;
    const words = description ? { description } : {};
    return description || rest.mapType || rest.patchStrategy
      ? { ...words, allOf: [{ $ref }], ...extensions(rest) }
      : { $ref };
  });
  if (name !== QUANTITY && name !== INT_OR_STRING) return converted;
  const { type, ...rest } = converted;
  const other = name === QUANTITY ? "number" : "integer";
  return { ...rest, oneOf: name === QUANTITY ? [{ type }, { type: other }] : [{ type: other }, { type }] };
}

/** These definitions and all that they refer to, sorted by name. */
export function reachable(roots: Iterable<string>, definitions: ReadonlyMap<string, Schema>): string[] {
  const found = new Set<string>();
  function visitSchema(schema: Schema): void {
    if (schema.ref) visit(schema.ref);
    if (schema.items) visitSchema(schema.items);
    if (schema.additionalProperties) visitSchema(schema.additionalProperties);
    for (const property of Object.values(schema.properties ?? {})) visitSchema(property);
  }
  function visit(name: string): void {
    const schema = definitions.get(name);
    if (!schema || found.has(name)) return;
    found.add(name);
    visitSchema(schema);
  }
  for (const name of roots) visit(name);
  return [...found].sort();
}
