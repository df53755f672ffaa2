// The resources inside of custom resources (x-kubernetes-embedded-resource) and the metadata of both: brought into the
// shape of ObjectMeta, and judged (apiextensions-apiserver pkg/apiserver/schema/objectmeta).

import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { isJsonObject, type JsonObject } from "../apply/field-type.js";
import { DecodeFault, decodeTyped } from "../decode/typed-decoder.js";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import { propertyOf } from "./prune.js";

export const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/** Decodes the metadata of the resource and of those below it, in place; returns unknown fields' paths. Throws a DecodeFault. */
export function coerceMetadata(object: JsonObject, schema: JsonSchema): string[] {
  const unknown = decodeMetadata(object, "metadata");
  coerceBelow(object, schema, { path: "", unknown });
  return unknown;
}

function decodeMetadata(object: JsonObject, path: string): string[] {
  if (object.metadata === undefined || object.metadata === null) return [];
  const { value, unknownFields } = decodeTyped(object.metadata, OBJECT_META);
  object.metadata = value;
  return unknownFields.map((field) => `${path}.${field}`);
}

function coerceBelow(value: unknown, schema: JsonSchema | undefined, at: { path: string; unknown: string[] }): void {
  if (!schema || typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    for (const [index, item] of value.entries()) coerceBelow(item, items, { ...at, path: `${at.path}[${index}]` });
    return;
  }
  const object = value as JsonObject;
  if (schema["x-kubernetes-embedded-resource"]) {
    for (const name of ["apiVersion", "kind"]) {
      if (object[name] === undefined || typeof object[name] === "string") continue;
      const shown = JSON.stringify(object[name]);
      throw new DecodeFault(`${at.path}.${name}: Invalid value: ${shown}: must be string`);
    }
    at.unknown.push(...decodeMetadata(object, `${at.path}.metadata`));
  }
  for (const [name, field] of Object.entries(object)) {
    const path = at.path === "" ? name : `${at.path}.${name}`;
    coerceBelow(field, propertyOf(schema, name) ?? valuesOf(schema), { ...at, path });
  }
}

/** What embedded resources lack to be resources. */
export function validateEmbedded(value: unknown, schema: JsonSchema | undefined, path = ""): FieldError[] {
  if (!schema || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) {
    const items = itemsOf(schema);
    return value.flatMap((item: unknown, index) => validateEmbedded(item, items, `${path}[${index}]`));
  }
  const faults: FieldError[] = [];
  if (schema["x-kubernetes-embedded-resource"] && isJsonObject(value)) {
    const { apiVersion, kind } = value;
    if (!apiVersion) faults.push(required(`${path}.apiVersion`, "must not be empty"));
    else if (typeof apiVersion === "string" && apiVersion.split("/").length > 2) {
      faults.push(invalidValue(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    }
    if (!kind) faults.push(required(`${path}.kind`, "must not be empty"));
  }
  for (const [name, field] of Object.entries(value)) {
    const at = path === "" ? name : `${path}.${name}`;
    faults.push(...validateEmbedded(field, propertyOf(schema, name) ?? valuesOf(schema), at));
  }
  return faults;
}
