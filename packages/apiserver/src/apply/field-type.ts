// What a schema says about ownership: where fields are owned one by one and where only as a whole. Made from the
// schema at first use and kept. Knows no values but the few it needs to tell a list item's keys.

import { resolve } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { isEmbeddedStruct } from "./embedded-structs.js";
import { keyElement, valueElement } from "./field-set.js";

/** How a value is owned. */
export type FieldType =
  /** Scalars, and lists, maps and structs that are atomic. */
  | { readonly kind: "leaf"; readonly schema: Schema }
  | {
      readonly kind: "struct";
      readonly fields: ReadonlyMap<string, Schema>;
      /** Fields that are not declared may be there too, and are deduced. */
      readonly open: boolean;
      /** What stands, empty, in every such struct: structs held by value, and lists that are always written. */
      readonly standing: ReadonlyMap<string, unknown>;
    }
  | { readonly kind: "map"; readonly values: Schema }
  | { readonly kind: "keyed"; readonly keys: readonly Key[]; readonly items: Schema }
  | { readonly kind: "set" }
  /** No schema: the value tells, maps by field and lists as a whole. */
  | { readonly kind: "deduced" };

interface Key {
  readonly name: string;
  readonly fallback: unknown;
}

export type JsonObject = { [field: string]: unknown };

const DEDUCED: FieldType = { kind: "deduced" };
const SET: FieldType = { kind: "set" };
/** The schema of what no schema describes. */
export const ANY: Schema = Object.freeze({ preserveUnknownFields: true });
const known = new WeakMap<Schema, FieldType>();

/** How values of the schema are owned. */
export function fieldTypeOf(schema: Schema): FieldType {
  let type = known.get(schema);
  if (type === undefined) {
    type = readType(schema);
    known.set(schema, type);
  }
  return type;
}

function readType(schema: Schema): FieldType {
  const resolved = resolve(schema);
  const mapType = schema.mapType ?? resolved.mapType;
  const isObject = resolved.type === "object" || resolved.properties !== undefined;
  if (resolved.preserveUnknownFields && !resolved.properties) return DEDUCED;
  if (isObject) {
    if (mapType === "atomic") return { kind: "leaf", schema: resolved };
    if (resolved.properties) return readStruct(resolved);
    return resolved.additionalProperties ? { kind: "map", values: resolved.additionalProperties } : DEDUCED;
  }
  if (resolved.type === undefined) return DEDUCED;
  if (resolved.type !== "array") return { kind: "leaf", schema: resolved };
  return readListType({ ...resolved, ...withoutRef(schema) });
}

function readStruct({ properties = {}, required = [], preserveUnknownFields }: Schema): FieldType {
  const standing = new Map<string, unknown>();
  for (const [name, schema] of Object.entries(properties)) {
    if (isEmbeddedStruct(name, schema.ref)) standing.set(name, Object.freeze({}));
    else if (schema.type === "array" && required.includes(name)) standing.set(name, Object.freeze([]));
  }
  return {
    kind: "struct",
    fields: new Map(Object.entries(properties)),
    open: preserveUnknownFields === true,
    standing,
  };
}

function withoutRef({ ref: _ref, ...rest }: Schema): Schema {
  return rest;
}

function readListType(schema: Schema): FieldType {
  const items = schema.items ?? ANY;
  const merges = schema.patchStrategy?.split(",").includes("merge") === true;
  const listType = schema.listType ?? (merges ? (schema.patchMergeKey ? "map" : "set") : "atomic");
  if (listType === "set") return SET;
  if (listType === "atomic") return { kind: "leaf", schema };
  const names = schema.listMapKeys ?? (schema.patchMergeKey ? [schema.patchMergeKey] : []);
  const properties = resolve(items).properties ?? {};
  return { kind: "keyed", items, keys: names.map((name) => ({ name, fallback: properties[name]?.default })) };
}

/** The path element of a list's item; undefined when the item lacks a key. */
export function itemElement(type: FieldType & { kind: "keyed" | "set" }, item: unknown): string | undefined {
  if (type.kind === "set") return valueElement(item);
  if (!isJsonObject(item)) return undefined;
  const keys: [string, unknown][] = [];
  for (const { name, fallback } of type.keys) {
    const value = item[name] ?? fallback;
    if (value !== undefined) keys.push([name, value]);
  }
  return keys.length > 0 ? keyElement(keys) : undefined;
}

/** The schema below a path element; undefined where it leads nowhere. */
export function schemaBelow(type: FieldType, element: string): Schema | undefined {
  switch (type.kind) {
    case "struct":
      return type.fields.get(element.slice(2)) ?? (type.open ? ANY : undefined);
    case "map":
      return element.startsWith("f:") ? type.values : undefined;
    case "keyed":
      return type.items;
    case "deduced":
      return ANY;
    default:
      return undefined;
  }
}

/** Every field of an object beside its element and schema; fields that the schema does not know are deduced. */
export function schemaOfField(type: FieldType & { kind: "struct" | "map" | "deduced" }, name: string): Schema {
  if (type.kind === "struct") return type.fields.get(name) ?? ANY;
  return type.kind === "map" ? type.values : ANY;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
