// Judges an applied configuration by its schema in structured-merge-diff's words (typed/validate.go). Stricter than
// decoding: unknown fields and repeated keys are faults whatever the field validation.

import type { Schema } from "@picokube/api/schema/schema";
import { elementText, fieldElement } from "./field-set.js";
import { ANY, type FieldType, fieldTypeOf, isJsonObject, itemElement, type JsonObject } from "./field-type.js";

/** What is wrong with the configuration, in upstream's words; undefined when nothing is. */
export function configFault(config: object, schema: Schema): string | undefined {
  const faults: string[] = [];
  check(config, schema, { path: "", faults });
  if (faults.length < 2) return faults[0];
  return ["errors:", ...faults.map((fault) => `  ${fault}`)].join("\n");
}

interface Place {
  readonly path: string;
  readonly faults: string[];
}

function check(value: unknown, schema: Schema, at: Place): void {
  if (value === null || value === undefined) return;
  const type = fieldTypeOf(schema);
  switch (type.kind) {
    case "deduced":
      return;
    case "struct":
      checkStruct(value, type, at);
      break;
    case "map":
      checkMap(value, type.values, at);
      break;
    case "keyed":
    case "set":
      checkItems(value, type, at);
      break;
    default:
      checkLeaf(value, type.schema, at);
  }
}

interface Fields {
  readonly fields: ReadonlyMap<string, Schema>;
  readonly open: boolean;
}

function checkStruct(value: unknown, { fields, open }: Fields, at: Place): void {
  if (!isJsonObject(value)) {
    fault(at, `expected map, got ${shown(value)}`);
    return;
  }
  for (const [name, field] of Object.entries(value)) {
    const place = below(at, fieldElement(name));
    const schema = fields.get(name);
    if (schema === undefined) {
      if (!open) fault(place, "field not declared in schema");
    } else check(field, schema, place);
  }
}

function checkMap(value: unknown, values: Schema, at: Place): void {
  if (!isJsonObject(value)) {
    fault(at, `expected map, got ${shown(value)}`);
    return;
  }
  for (const [name, field] of Object.entries(value as JsonObject)) check(field, values, below(at, fieldElement(name)));
}

function checkItems(value: unknown, type: FieldType & { kind: "keyed" | "set" }, at: Place): void {
  if (!Array.isArray(value)) {
    fault(at, `expected list, got ${shown(value)}`);
    return;
  }
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    if (item === null || (type.kind === "keyed" && !isJsonObject(item))) {
      const why = item === null ? "null" : "non-map";
      fault(at, `element ${index}: associative list with keys may not have ${why} elements`);
      continue;
    }
    if (type.kind === "keyed") {
      const missing = type.keys.find(
        ({ name, fallback }) => (item as JsonObject)[name] == null && fallback === undefined,
      );
      if (missing) {
        const named = JSON.stringify(missing.name);
        const why = `associative list with keys has an element that omits key field ${named} (and doesn't have default value)`;
        fault(at, `element ${index}: ${why}`);
        continue;
      }
    }
    const element = itemElement(type, item)!;
    if (seen.has(element)) fault(at, `duplicate entries for key ${elementText(element)}`);
    seen.add(element);
    if (type.kind === "keyed") check(item, type.items, below(at, element));
  }
}

function checkLeaf(value: unknown, schema: Schema, at: Place): void {
  if (schema.type === "array") checkAtomicList(value, schema.items, at);
  else if (schema.properties) {
    const fields = new Map(Object.entries(schema.properties));
    checkStruct(value, { fields, open: schema.preserveUnknownFields === true }, at);
  } else if (schema.type === "object") checkMap(value, schema.additionalProperties ?? ANY, at);
  else checkScalar(value, schema, at);
}

function checkAtomicList(value: unknown, items: Schema | undefined, at: Place): void {
  if (!Array.isArray(value)) fault(at, `expected list, got ${shown(value)}`);
  else for (const [index, item] of value.entries()) if (items) check(item, items, below(at, `i:${index}`));
}

function checkScalar(value: unknown, { type, format }: Schema, at: Place): void {
  const isNumber = type === "integer" || type === "number";
  if (format === "quantity" || format === "int-or-string") {
    if (typeof value === "object") fault(at, `expected scalar, got ${shown(value)}`);
  } else if (isNumber && typeof value !== "number") {
    fault(at, `expected numeric (int or float), got ${goType(value)}`);
  } else if (type === "string" && typeof value !== "string") fault(at, `expected string, got ${shown(value)}`);
  else if (type === "boolean" && typeof value !== "boolean") fault(at, `expected boolean, got ${goType(value)}`);
}

function below({ path, faults }: Place, element: string): Place {
  return { path: path + elementText(element), faults };
}

function fault({ path, faults }: Place, why: string): void {
  faults.push(`${path || "."}: ${why}`);
}

/** As Go prints its Value wrapper. */
function shown(value: unknown): string {
  return `&value.valueUnstructured{Value:${JSON.stringify(value)}}`;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return isJsonObject(value) ? "map" : typeof value;
}
