// Whether a schema is structural: every field typed once, outside of the value validations, in upstream's words
// (upstream: apiextensions-apiserver pkg/apiserver/schema: ValidateStructural). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { goRegExp } from "../../custom-resources/go-regexp.js";
import { entriesOf, itemsOf, type JsonSchema, valuesOf } from "./json-schema.js";

type Level = "root" | "item" | "field";

const missingType = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};
const intOrString = [{ type: "integer" }, { type: "string" }];
const isIntOrString = (anyOf: unknown) => semanticDeepEqual(anyOf, intOrString);

/** What a value validation may not say, and when upstream takes it as said. */
const forbidden: [keyof JsonSchema, string][] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

const isEmpty = (value: unknown) =>
  value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);

function validateNested(schema: JsonSchema | undefined, path: string, skipAnyOf = false): FieldError[] {
  if (!schema) return [];
  const faults = validateJunctors(schema, path, { skipAnyOf, skipFirstAllOf: false });
  faults.push(...validateNested(itemsOf(schema), `${path}.items`));
  for (const [name, child] of entriesOf(schema.properties)) {
    faults.push(...validateNested(child, `${path}.properties[${name}]`));
  }
  for (const [field, words] of forbidden) {
    const value = schema[field];
    const isSaid = field === "additionalProperties" ? value !== undefined : !isEmpty(value) && value !== false;
    if (isSaid) faults.push(forbiddenField(`${path}.${field}`, words));
  }
  if (schema.properties?.["metadata"]) {
    faults.push(forbiddenField(`${path}.properties[metadata]`, "must not be specified in a nested context"));
  }
  return faults;
}

function validateJunctors(
  schema: JsonSchema,
  path: string,
  { skipAnyOf, skipFirstAllOf }: { skipAnyOf: boolean; skipFirstAllOf: boolean },
): FieldError[] {
  const list = (field: "anyOf" | "allOf" | "oneOf") =>
    (schema[field] ?? []).flatMap((each, index) =>
      validateNested(each ?? {}, `${path}.${field}[${index}]`, field === "allOf" && skipFirstAllOf && index === 0),
    );
  const faults = [...(skipAnyOf ? [] : list("anyOf")), ...list("allOf"), ...list("oneOf")];
  faults.push(...validateNested(schema.not, `${path}.not`));
  try {
    if (schema.pattern) goRegExp(schema.pattern);
  } catch (error) {
    const words = `must be a valid regular expression, but isn't: ${(error as Error).message}`;
    faults.push(invalidValue(`${path}.pattern`, schema.pattern, words));
  }
  return faults;
}

function validateMetadata(schema: JsonSchema, path: string, { level, checked }: { level: Level; checked: boolean }) {
  const faults: FieldError[] = [];
  if (checked && schema.type !== "object") {
    faults.push(invalidValue(`${path}.type`, schema.type ?? "", "must be object"));
  }
  const { type: _type, default: _default, properties, ...rest } = schema;
  const hasOthers =
    Object.values(rest).some((value) => !isEmpty(value) && value !== false) ||
    Object.keys(properties ?? {}).some((name) => name !== "name" && name !== "generateName");
  if (level === "root" && hasOthers) {
    const words = "must not specify anything other than name and generateName, but metadata is implicitly specified";
    faults.push(forbiddenField(path, words));
  }
  return faults;
}

function validateType(schema: JsonSchema, path: string, level: Level): FieldError[] {
  const { type = "" } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const at = `${path}.type`;
  const faults: FieldError[] = [];
  if (isEmbedded && type !== "object") {
    const words = "must be object if x-kubernetes-embedded-resource is true";
    faults.push(type === "" ? required(at, words) : invalidValue(at, type, words));
  } else if (type === "" && !schema["x-kubernetes-int-or-string"] && !schema["x-kubernetes-preserve-unknown-fields"]) {
    faults.push(required(at, missingType[level]));
  }
  if (isEmbedded && schema.additionalProperties !== undefined) {
    const words = "must not be used if x-kubernetes-embedded-resource is set";
    faults.push(forbiddenField(`${path}.additionalProperties`, words));
  }
  if (level === "root" && type !== "" && type !== "object") {
    faults.push(invalidValue(at, type, "must be object at the root"));
  }
  return faults;
}

function validateInvariants(schema: JsonSchema | undefined, path: string, level: Level): FieldError[] {
  if (!schema) return [];
  const faults: FieldError[] = [];
  if (schema.type === "array" && !itemsOf(schema)) faults.push(required(`${path}.items`, "must be specified"));
  faults.push(...validateInvariants(itemsOf(schema), `${path}.items`, "item"));
  for (const [name, child] of entriesOf(schema.properties)) {
    faults.push(...validateInvariants(child, `${path}.properties[${name}]`, "field"));
  }
  if (schema.additionalProperties !== undefined && level === "root") {
    faults.push(forbiddenField(`${path}.additionalProperties`, "must not be used at the root"));
  }
  faults.push(...validateInvariants(valuesOf(schema), `${path}.additionalProperties`, "field"));
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  for (const field of ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const) {
    if (schema["x-kubernetes-int-or-string"] && schema[field]) {
      faults.push(invalidValue(`${path}.${field}`, true, "must be false if x-kubernetes-int-or-string is true"));
    }
  }
  const skip = {
    skipAnyOf: isIntOrString(schema.anyOf),
    skipFirstAllOf: isIntOrString(schema.allOf?.[0]?.anyOf),
  };
  faults.push(...validateJunctors(schema, path, skip), ...validateType(schema, path, level));
  const checked = level === "root" || isEmbedded;
  for (const name of checked ? ["kind", "apiVersion"] : []) {
    const child = schema.properties?.[name];
    if (child && child.type !== "string") {
      faults.push(invalidValue(`${path}.properties[${name}].type`, child.type ?? "", "must be string"));
    }
  }
  const metadata = schema.properties?.["metadata"];
  if (metadata) faults.push(...validateMetadata(metadata, `${path}.properties[metadata]`, { level, checked }));
  const isBare = Object.keys(schema.properties ?? {}).length === 0 && !schema["x-kubernetes-preserve-unknown-fields"];
  if (isEmbedded && isBare) {
    const words =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    faults.push(required(`${path}.properties`, words));
  }
  return faults;
}

/** What a value validation speaks of exists in the structure itself. */
function validateComplete(
  validation: JsonSchema,
  schema: JsonSchema | undefined,
  { path, from }: { path: string; from: string },
): FieldError[] {
  if (!schema) return [required(path, `because it is defined in ${from}`)];
  const junctors: [string, JsonSchema][] = validation.not ? [[`${from}.not`, validation.not]] : [];
  for (const field of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, each] of (validation[field] ?? []).entries()) {
      junctors.push([`${from}.${field}[${index}]`, each ?? {}]);
    }
  }
  return junctors.flatMap(([at, nested]) => {
    const faults = validateComplete(nested, schema, { path, from: at });
    const items = itemsOf(nested);
    if (items) {
      const paths = { path: `${path}.items`, from: `${at}.items` };
      faults.push(...validateCompleteNested(items, itemsOf(schema), paths));
    }
    for (const [name, child] of entriesOf(nested.properties)) {
      const paths = { path: `${path}.properties[${name}]`, from: `${at}.properties[${name}]` };
      faults.push(...validateCompleteNested(child, schema.properties?.[name], paths));
    }
    return faults;
  });
}

function validateCompleteNested(
  nested: JsonSchema,
  schema: JsonSchema | undefined,
  { path, from }: { path: string; from: string },
): FieldError[] {
  const faults = validateComplete(nested, schema, { path, from });
  if (!schema) return faults;
  for (const [name, child] of entriesOf(nested.properties)) {
    const paths = { path: `${path}.properties[${name}]`, from: `${from}.properties[${name}]` };
    faults.push(...validateCompleteNested(child, schema.properties?.[name], paths));
  }
  return faults;
}

/** All that keeps a schema from being structural, in the order of its words. */
export function validateStructural(schema: JsonSchema, path: string): FieldError[] {
  const faults = [
    ...validateInvariants(schema, path, "root"),
    ...validateComplete(schema, schema, { path, from: path }),
  ];
  const words = ({ field, message }: FieldError) => `${field}: ${message}`;
  return faults.sort((a, b) => (words(a) < words(b) ? -1 : 1));
}
