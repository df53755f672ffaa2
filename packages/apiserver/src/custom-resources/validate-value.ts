// Judges a custom resource by its OpenAPI schema, in the words of upstream's validator (kube-openapi pkg/validation,
// apiextensions-apiserver: ValidateCustomResource). What an update leaves as it was is not judged again (KEP-4008).

import {
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
  tooMany,
  typeInvalid,
} from "@picokube/api/validation/field-error";
import { itemsOf, type JsonSchema, valuesOf } from "../registry/apiextensions/json-schema.js";
import { sameJson } from "../storage/same-json.js";
import { goRegExp } from "./go-regexp.js";
import { propertyOf } from "./prune.js";
import { isOfFormat } from "./value-formats.js";

/** Where a value stands, and what stood there before; old is undefined for what is new. */
interface Place {
  readonly path: string;
  readonly old?: unknown;
}

/** All that is wrong with the value. */
export function validateValue(value: unknown, schema: JsonSchema, at: Place = { path: "" }): FieldError[] {
  if (at.old !== undefined && sameJson(value, at.old)) return [];
  const mistyped = typeFault(value, schema, at.path);
  if (value === null) return [...mistyped, ...enumFaults(value, schema, at.path)];
  return [
    ...mistyped,
    ...junctorFaults(value, schema, at),
    ...(typeof value === "string" ? stringFaults(value, schema, at.path) : []),
    ...(typeof value === "number" ? numberFaults(value, schema, at.path) : []),
    ...(Array.isArray(value) ? listFaults(value, schema, at) : []),
    ...enumFaults(value, schema, at.path),
    ...(isObject(value) ? objectFaults(value, schema, at) : []),
  ];
}

function isObject(value: unknown): value is { [field: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A JSON value's type in a schema's words. */
function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function typeFault(value: unknown, schema: JsonSchema, path: string): FieldError[] {
  const { type = "", nullable } = schema;
  const found = typeOf(value);
  if (found === "null" && nullable) return [];
  const wanted = schema["x-kubernetes-int-or-string"] ? ["integer", "string"] : type === "" ? [] : [type];
  if (wanted.length === 0 || wanted.includes(found) || (found === "integer" && type === "number")) return [];
  return [typeInvalid(path, found, `${path} in body must be of type ${wanted.join(",")}: "${found}"`)];
}

function stringFaults(
  value: string,
  { minLength, maxLength, pattern, format }: JsonSchema,
  path: string,
): FieldError[] {
  const faults: FieldError[] = [];
  const length = [...value].length;
  if (maxLength !== undefined && length > maxLength) faults.push(tooLong(path, maxLength));
  if (minLength !== undefined && length < minLength) {
    faults.push(invalidValue(path, value, `${path} in body should be at least ${minLength} chars long`));
  }
  if (pattern && !goRegExp(pattern).test(value)) {
    faults.push(invalidValue(path, value, `${path} in body should match '${pattern}'`));
  }
  if (format && !isOfFormat(value, format)) {
    faults.push(typeInvalid(path, value, `${path} in body must be of type ${format}: ${JSON.stringify(value)}`));
  }
  return faults;
}

function numberFaults(value: number, schema: JsonSchema, path: string): FieldError[] {
  const { multipleOf, maximum, minimum, exclusiveMaximum, exclusiveMinimum } = schema;
  const faults: FieldError[] = [];
  const fault = (words: string) => faults.push(invalidValue(path, value, `${path} in body should be ${words}`));
  if (multipleOf && !Number.isInteger(value / multipleOf)) fault(`a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    fault(exclusiveMaximum ? `less than ${maximum}` : `less than or equal to ${maximum}`);
  }
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    fault(exclusiveMinimum ? `greater than ${minimum}` : `greater than or equal to ${minimum}`);
  }
  return faults;
}

function enumFaults(value: unknown, { enum: allowed }: JsonSchema, path: string): FieldError[] {
  if (!allowed || allowed.length === 0 || allowed.some((each) => sameJson(each, value))) return [];
  const shown = allowed.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  return [notSupported(path, value, shown)];
}

function listFaults(list: readonly unknown[], schema: JsonSchema, { path, old }: Place): FieldError[] {
  const { minItems, maxItems, uniqueItems } = schema;
  const items = itemsOf(schema);
  const before = earlierItems(schema, old);
  const faults = items
    ? list.flatMap((item, index) => validateValue(item, items, { path: `${path}[${index}]`, old: before(item) }))
    : [];
  if (minItems !== undefined && list.length < minItems) {
    faults.push(invalidValue(path, list.length, `${path} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) faults.push(tooMany(path, list.length, maxItems));
  if (uniqueItems && list.some((item, index) => list.slice(0, index).some((other) => sameJson(item, other)))) {
    faults.push(invalidValue(path, "", `${path} in body shouldn't contain duplicates`));
  }
  return faults;
}

/** Items of a map list are known again by their keys; in other lists nothing tells which was which. */
function earlierItems(schema: JsonSchema, old: unknown): (item: unknown) => unknown {
  if (schema["x-kubernetes-list-type"] !== "map" || !Array.isArray(old)) return () => undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const keyOf = (item: unknown) => (isObject(item) ? JSON.stringify(keys.map((key) => item[key] ?? null)) : undefined);
  const known = new Map(old.map((item: unknown) => [keyOf(item), item]));
  return (item) => known.get(keyOf(item));
}

function objectFaults(object: { [field: string]: unknown }, schema: JsonSchema, { path, old }: Place): FieldError[] {
  const { minProperties, maxProperties, required: names = [], properties = {} } = schema;
  const faults: FieldError[] = [];
  const count = Object.keys(object).length;
  if (minProperties !== undefined && count < minProperties) {
    faults.push(invalidValue(path, count, `${path} in body should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && count > maxProperties) faults.push(tooMany(path, count, maxProperties));
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  const values = valuesOf(schema);
  for (const name of Object.keys(object)) {
    const property = propertyOf({ properties }, name) ?? values;
    const before = isObject(old) && Object.hasOwn(old, name) ? old[name] : undefined;
    if (property) faults.push(...validateValue(object[name], property, { path: below(name), old: before }));
  }
  for (const name of names) if (!Object.hasOwn(object, name)) faults.push(required(below(name)));
  return faults;
}

/** allOf, anyOf, oneOf and not; their own words stand without a path, as upstream. */
function junctorFaults(value: unknown, schema: JsonSchema, at: Place): FieldError[] {
  const faults: FieldError[] = [];
  const fault = (words: string) => faults.push(invalidValue("<nil>", "", `${JSON.stringify(at.path)} ${words}`));
  const judge = (alternatives: readonly JsonSchema[] | undefined) =>
    (alternatives ?? []).map((each) => validateValue(value, each ?? {}, at));
  const anyOf = judge(schema["x-kubernetes-int-or-string"] ? undefined : schema.anyOf);
  if (anyOf.length > 0 && anyOf.every((each) => each.length > 0)) {
    fault("must validate at least one schema (anyOf)");
    faults.push(...best(anyOf));
  }
  const oneOf = judge(schema.oneOf);
  const valid = oneOf.filter((each) => each.length === 0).length;
  if (oneOf.length > 0 && valid !== 1) {
    const found = valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`;
    fault(`must validate one and only one schema (oneOf). ${found}`);
    if (valid === 0) faults.push(...best(oneOf));
  }
  const allOf = judge(schema.allOf);
  const failed = allOf.filter((each) => each.length > 0).length;
  if (failed > 0) {
    faults.push(...allOf.flat());
    fault(`must validate all the schemas (allOf)${failed === allOf.length ? ". None validated" : ""}`);
  }
  if (schema.not && validateValue(value, schema.not, { path: at.path }).length === 0) {
    fault("must not validate the schema (not)");
  }
  return faults;
}

/** What is wrong by the alternative that fits most. */
function best(alternatives: readonly FieldError[][]): FieldError[] {
  return alternatives.reduce((left, right) => (right.length < left.length ? right : left));
}
