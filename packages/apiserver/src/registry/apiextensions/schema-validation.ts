// What a CustomResourceDefinition's schema may say, in upstream's words (upstream:
// ValidateCustomResourceDefinitionOpenAPISchema). Pure; rules in CEL are looked at but never compiled.

import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { oneOfIfSet } from "../check.js";
import { entriesOf, itemsOf, type JsonSchema, valuesOf } from "./json-schema.js";

interface Place {
  readonly isRoot?: boolean;
  readonly isInsideMetadata?: boolean;
  /** Why no default may stand here. */
  readonly noDefaults?: string;
}

const types = ["array", "boolean", "integer", "number", "object", "string"];
const unsupported = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;
const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
const metaFields = ["metadata", "kind", "apiVersion"];

function validateVocabulary(schema: JsonSchema, path: string, place: Place): FieldError[] {
  const faults: FieldError[] = [];
  const { type = "" } = schema;
  if (type !== "" && !types.includes(type)) faults.push(notSupported(`${path}.type`, type, types));
  if (schema.default !== undefined && place.noDefaults !== undefined) {
    faults.push(forbiddenField(`${path}.default`, `must not be set ${place.noDefaults}`));
  }
  for (const field of unsupported) {
    const value = schema[field];
    const isGiven = typeof value === "object" ? Object.keys(value ?? {}).length > 0 : Boolean(value);
    if (isGiven) faults.push(forbiddenField(`${path}.${field}`, `${field} is not supported`));
  }
  if (type === "null") {
    const words = "type cannot be set to null, use nullable as an alternative";
    faults.push(forbiddenField(`${path}.type`, words));
  }
  if (Array.isArray(schema.items) && schema.items.length > 0) {
    faults.push(forbiddenField(`${path}.items`, "items must be a schema object and not an array"));
  }
  if (place.isInsideMetadata && schema["x-kubernetes-embedded-resource"]) {
    faults.push(forbiddenField(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
  }
  if (schema.uniqueItems) {
    const words = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    faults.push(forbiddenField(`${path}.uniqueItems`, words));
  }
  return faults;
}

function validateChildren(schema: JsonSchema, path: string, { isRoot, ...place }: Place): FieldError[] {
  const faults: FieldError[] = [];
  const properties = entriesOf(schema.properties);
  const values = valuesOf(schema);
  if (schema.additionalProperties !== undefined && schema.additionalProperties !== true && properties.length > 0) {
    const words = "additionalProperties and properties are mutual exclusive";
    faults.push(forbiddenField(`${path}.additionalProperties`, words));
  }
  const inMetadata = { ...place, noDefaults: "inside additionalProperties applying to object metadata" };
  if (values) {
    const child = place.isInsideMetadata ? inMetadata : place;
    faults.push(...validateOpenApiSchema(values, `${path}.additionalProperties`, child));
  }
  for (const [name, child] of properties) {
    const isMeta = (isRoot || schema["x-kubernetes-embedded-resource"]) && metaFields.includes(name);
    const noDefaults = isMeta && isRoot ? { noDefaults: `in top-level ${name}` } : {};
    const at = isMeta ? { ...place, isInsideMetadata: true, ...noDefaults } : place;
    faults.push(...validateOpenApiSchema(child, `${path}.properties[${name}]`, at));
  }
  if (schema.not) faults.push(...validateOpenApiSchema(schema.not, `${path}.not`, place));
  for (const field of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [index, child] of (schema[field] ?? []).entries()) {
      faults.push(...validateOpenApiSchema(child ?? {}, `${path}.${field}[${index}]`, place));
    }
  }
  const items = itemsOf(schema);
  return items ? [...faults, ...validateOpenApiSchema(items, `${path}.items`, place)] : faults;
}

function typedAs(type: "object" | "array", schema: JsonSchema, path: string, extension: string): FieldError[] {
  if (schema.type === type) return [];
  const words = `must be ${type} if ${extension} is specified`;
  return [schema.type ? invalidValue(`${path}.type`, schema.type, words) : required(`${path}.type`, words)];
}

function validateSet(items: JsonSchema, path: string): FieldError[] {
  const words = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"];
  if (items.type === "array" && listType !== undefined && listType !== "atomic") {
    return [invalidValue(`${path}.items.x-kubernetes-list-type`, listType, words)];
  }
  // Upstream shows the list type here.
  return items.type === "object" && items["x-kubernetes-map-type"] !== "atomic"
    ? [invalidValue(`${path}.items.x-kubernetes-map-type`, listType, words)]
    : [];
}

function validateMapList(schema: JsonSchema, path: string): FieldError[] {
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const at = `${path}.x-kubernetes-list-map-keys`;
  const faults = keys.length === 0 ? [required(at, "must not be empty if x-kubernetes-list-type is map")] : [];
  const items = itemsOf(schema);
  if (schema.items === undefined) {
    faults.push(required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
  } else if (!items) {
    const words = "must only have a single schema if x-kubernetes-list-type is map";
    faults.push(invalidValue(`${path}.items`, schema.items, words));
  } else if (items.type !== "object") {
    const words = "must be object if parent array's x-kubernetes-list-type is map";
    faults.push(invalidValue(`${path}.items.type`, items.type ?? "", words));
  } else {
    for (const [index, key] of keys.entries()) {
      const child = items.properties?.[key];
      if (!child) faults.push(invalidValue(at, keys, "entries must all be names of item properties"));
      else if (child.type === "array" || child.type === "object") {
        const words = "must be a scalar type if parent array's x-kubernetes-list-type is map";
        faults.push(invalidValue(`${path}.items.properties[${key}].type`, items.type, words));
      }
      if (keys.indexOf(key) < index) faults.push(invalidValue(at, keys, "must not contain duplicate entries"));
    }
  }
  return faults;
}

function validateKeys(schema: JsonSchema, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const items = itemsOf(schema);
  if (!items || (listType !== "set" && listType !== "map")) return [];
  const faults = items.nullable
    ? [forbiddenField(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`)]
    : [];
  for (const key of listType === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : []) {
    const child = items.properties?.[key];
    if (!child) continue;
    const at = `${path}.items.properties[${key}]`;
    if (!items.required?.includes(key) && child.default === undefined) {
      const words =
        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
      faults.push(required(`${at}.default`, words));
    }
    const words = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
    if (child.nullable) faults.push(forbiddenField(`${at}.nullable`, words));
  }
  return faults;
}

function validateExtensions(schema: JsonSchema, path: string): FieldError[] {
  const { "x-kubernetes-map-type": mapType, "x-kubernetes-list-type": listType } = schema;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const faults: FieldError[] = [];
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    faults.push(invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  if (mapType !== undefined) faults.push(...typedAs("object", schema, path, "x-kubernetes-map-type"));
  faults.push(...oneOfIfSet(`${path}.x-kubernetes-map-type`, mapType, ["atomic", "granular"]));
  const items = itemsOf(schema);
  if (listType !== undefined && schema.type !== "array") {
    faults.push(...typedAs("array", schema, path, "x-kubernetes-list-type"));
  } else if (listType === "set" && items) faults.push(...validateSet(items, path));
  const at = `${path}.x-kubernetes-list-type`;
  faults.push(...oneOfIfSet(at, listType, ["atomic", "set", "map"]));
  const words = "must be map if x-kubernetes-list-map-keys is non-empty";
  if (keys.length > 0 && listType === undefined) faults.push(required(at, words));
  else if (keys.length > 0 && listType !== "map") faults.push(invalidValue(at, listType, words));
  if (listType === "map") faults.push(...validateMapList(schema, path));
  return [...faults, ...validateKeys(schema, path)];
}

function validateRules(schema: JsonSchema, path: string): FieldError[] {
  return (schema["x-kubernetes-validations"] ?? []).flatMap((each, index) => {
    const { rule = "", message = "", messageExpression = "", reason, fieldPath = "" } = each;
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const faults: FieldError[] = [];
    const hasLines = (text: string) => /[\n\r]/.test(text.trim());
    if (rule.trim() === "") faults.push(required(`${at}.rule`, "rule is not specified"));
    else if (message !== "" && message.trim() === "") {
      faults.push(invalidValue(`${at}.message`, message, "message must be non-empty if specified"));
    } else if (hasLines(message)) {
      faults.push(invalidValue(`${at}.message`, message, "message must not contain line breaks"));
    } else if (hasLines(rule) && message.trim() === "") {
      faults.push(required(`${at}.message`, "message must be specified if rule contains line breaks"));
    }
    if (messageExpression !== "" && messageExpression.trim() === "") {
      faults.push(required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
    }
    faults.push(...oneOfIfSet(`${at}.reason`, reason, reasons));
    if (fieldPath !== "" && fieldPath.trim() === "") {
      faults.push(invalidValue(`${at}.fieldPath`, fieldPath, "fieldPath must be non-empty if specified"));
    }
    if (/[\n\r]/.test(fieldPath)) {
      faults.push(invalidValue(`${at}.fieldPath`, fieldPath, "fieldPath must not contain line breaks"));
    }
    return faults;
  });
}

/** One schema and all below it. */
export function validateOpenApiSchema(schema: JsonSchema, path: string, place: Place = {}): FieldError[] {
  return [
    ...validateVocabulary(schema, path, place),
    ...validateChildren(schema, path, place),
    ...validateExtensions(schema, path),
    ...validateRules(schema, path),
  ];
}
