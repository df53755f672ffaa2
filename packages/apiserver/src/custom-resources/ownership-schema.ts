// A custom resource's schema in the form that server-side apply follows: where fields are owned one by one and where as a
// whole. Says nothing of values.

import type { Schema } from "@picokube/api/schema/schema";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import { OBJECT_META } from "./embedded-resources.js";

const ANY: Schema = { preserveUnknownFields: true };
const META: { [field: string]: Schema } = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { ref: OBJECT_META },
};

/** The schema of a whole resource. */
export function ownershipSchemaOf(schema: JsonSchema): Schema {
  return convert({ ...schema, type: "object", "x-kubernetes-embedded-resource": true });
}

function convert(schema: JsonSchema): Schema {
  if (schema["x-kubernetes-int-or-string"]) return { type: "string", format: "int-or-string" };
  const { type } = schema;
  const preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
  const byDefault = schema.default === undefined ? {} : { default: schema.default };
  if (type === "object") return { ...convertObject(schema, preserves), ...byDefault };
  if (type === "array") return { ...convertList(schema), ...byDefault };
  return type === undefined || type === "" ? ANY : { type: type as "string", ...byDefault };
}

function convertObject(schema: JsonSchema, preserves: boolean): Schema {
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const { properties } = schema;
  const mapType = schema["x-kubernetes-map-type"];
  const result: Schema = { type: "object", ...(mapType ? { mapType: mapType as "atomic" } : {}) };
  if (preserves) result.preserveUnknownFields = true;
  const values = valuesOf(schema);
  if (values) result.additionalProperties = convert(values);
  else if (schema.additionalProperties === true) result.additionalProperties = ANY;
  else if (properties || isEmbedded || !preserves) {
    const own = Object.entries(properties ?? {}).map(([name, property]) => [name, convert(property ?? {})]);
    result.properties = { ...Object.fromEntries(own), ...(isEmbedded ? META : {}) };
  }
  return result;
}

function convertList(schema: JsonSchema): Schema {
  const items = itemsOf(schema);
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  return {
    type: "array",
    items: items ? convert(items) : ANY,
    listType: (listType ?? "atomic") as "atomic",
    ...(keys ? { listMapKeys: [...keys] } : {}),
  };
}
