// What one object has that another has not, as sets of owned paths (structured-merge-diff typed/compare.go). Changes
// neither object; equal parts cost a comparison and nothing more.

import type { Schema } from "@picokube/api/schema/schema";
import { sameJson } from "../storage/same-json.js";
import { EMPTY, type FieldSet, fieldElement, nodeOf } from "./field-set.js";
import {
  type FieldType,
  fieldTypeOf,
  isJsonObject,
  itemElement,
  type JsonObject,
  schemaOfField,
} from "./field-type.js";

export interface Comparison {
  /** Paths that are new or have another value. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

interface Nodes {
  changed: FieldSet | undefined;
  removed: FieldSet | undefined;
}

const SAME: Nodes = Object.freeze({ changed: undefined, removed: undefined });
const CHANGED: Nodes = Object.freeze({ changed: EMPTY, removed: undefined });
const NOTHING: JsonObject = Object.freeze({});
/** Apart from every value that JSON has. */
const NULL = Symbol("null");
type Fields = FieldType & { kind: "struct" | "map" | "deduced" };

/** Compares two objects of the schema. */
export function compare(before: object, after: object, schema: Schema): Comparison {
  const { changed, removed } = compareValues(before, after, fieldTypeOf(schema));
  return { changed: changed ?? EMPTY, removed: removed ?? EMPTY };
}

function compareValues(before: unknown, after: unknown, type: FieldType): Nodes {
  if (before === after) return SAME;
  switch (type.kind) {
    case "struct":
    case "map":
    case "deduced":
      if (isJsonObject(before) && isJsonObject(after)) return compareFields(before, after, type);
      break;
    case "keyed":
    case "set":
      if (Array.isArray(before) && Array.isArray(after)) return compareItems(before, after, type);
      break;
    default:
  }
  return sameJson(before, after) ? SAME : CHANGED;
}

function compareFields(before: JsonObject, after: JsonObject, type: Fields): Nodes {
  const collector = new Collector();
  const standing = type.kind === "struct" ? type.standing : undefined;
  const compareField = (name: string) => {
    const left = presentValue(before, name, type) ?? standing?.get(name);
    const right = presentValue(after, name, type) ?? standing?.get(name);
    if (left === right) return;
    const fieldType = fieldTypeOf(schemaOfField(type, name));
    if (left === undefined) collector.change(fieldElement(name), presenceOf(right, fieldType));
    else if (right === undefined) collector.remove(fieldElement(name), presenceOf(left, fieldType));
    else collector.add(fieldElement(name), compareValues(left, right, fieldType));
  };
  for (const name of Object.keys(before)) compareField(name);
  for (const name of Object.keys(after)) if (!Object.hasOwn(before, name)) compareField(name);
  return collector.nodes();
}

/** A null stands for nothing where fields or items are owned one by one, and for a value of its own elsewhere. */
function presentValue(object: JsonObject, name: string, type: Fields): unknown {
  const value = own(object, name);
  if (value !== null) return value;
  const { kind } = fieldTypeOf(schemaOfField(type, name));
  return kind === "leaf" || kind === "deduced" ? NULL : undefined;
}

/** An entry may be called "constructor". */
function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

type Items = FieldType & { kind: "keyed" | "set" };

function compareItems(before: unknown[], after: unknown[], type: Items): Nodes {
  if (before.length === 0 && after.length === 0) return SAME;
  const collector = new Collector();
  const itemType = type.kind === "keyed" ? fieldTypeOf(type.items) : undefined;
  const left = indexItems(before, type);
  const right = indexItems(after, type);
  for (const [element, items] of left) {
    const others = right.get(element);
    if (others === undefined) collector.remove(element, presenceOf(items[0], itemType));
    else if (items.length === 1 && others.length === 1) {
      if (itemType) collector.add(element, compareValues(items[0], others[0], itemType));
    } else if (!sameJson(items, others)) collector.change(element, EMPTY);
  }
  for (const [element, items] of right) {
    if (!left.has(element)) collector.change(element, presenceOf(items[0], items.length > 1 ? undefined : itemType));
  }
  return collector.nodes();
}

/** A list's items by their path elements: more than one where keys repeat. Items without keys belong to nobody. */
export function indexItems(items: readonly unknown[], type: Items): Map<string, unknown[]> {
  const index = new Map<string, unknown[]>();
  for (const item of items) {
    const element = itemElement(type, item);
    if (element === undefined) continue;
    const known = index.get(element);
    if (known) known.push(item);
    else index.set(element, [item]);
  }
  return index;
}

/** The node of a value that stands where nothing stood: itself and all that is below it. */
function presenceOf(value: unknown, type: FieldType | undefined): FieldSet {
  if (type === undefined || type.kind === "leaf") return EMPTY;
  const children: { [element: string]: FieldSet } = {};
  if (type.kind === "keyed" || type.kind === "set") {
    if (!Array.isArray(value)) return EMPTY;
    const itemType = type.kind === "keyed" ? fieldTypeOf(type.items) : undefined;
    for (const [element, items] of indexItems(value, type)) {
      children[element] = presenceOf(items[0], items.length > 1 ? undefined : itemType);
    }
  } else {
    if (!isJsonObject(value)) return EMPTY;
    for (const [name, field] of Object.entries(value)) {
      if (field === undefined || field === null) continue;
      children[fieldElement(name)] = presenceOf(field, fieldTypeOf(schemaOfField(type, name)));
    }
  }
  return nodeOf(children, { member: true })!;
}

/** All paths that creating the object brings into being. */
export function createdSet(object: object, schema: Schema): FieldSet {
  return compare(NOTHING, object, schema).changed;
}

/** Gathers the nodes of children; makes nothing until there is something. */
class Collector {
  private changed: { [element: string]: FieldSet } | undefined;
  private removed: { [element: string]: FieldSet } | undefined;

  change(element: string, node: FieldSet): void {
    this.changed ??= {};
    this.changed[element] = node;
  }

  remove(element: string, node: FieldSet): void {
    this.removed ??= {};
    this.removed[element] = node;
  }

  add(element: string, { changed, removed }: Nodes): void {
    if (changed) this.change(element, changed);
    if (removed) this.remove(element, removed);
  }

  nodes(): Nodes {
    if (!this.changed && !this.removed) return SAME;
    return {
      changed: this.changed && nodeOf(this.changed, { member: false }),
      removed: this.removed && nodeOf(this.removed, { member: false }),
    };
  }
}
