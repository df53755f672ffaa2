// Lays a configuration over an object, and takes paths out of one (structured-merge-diff typed/merge.go, remove.go).
// Results share structure with the arguments and never change them.

import type { Schema } from "@picokube/api/schema/schema";
import { EMPTY, type FieldSet, fieldElement, isEmptySet, isMember } from "./field-set.js";
import {
  type FieldType,
  fieldTypeOf,
  isJsonObject,
  itemElement,
  type JsonObject,
  schemaOfField,
} from "./field-type.js";

/** The live object with everything that the configuration says. */
export function merge(live: unknown, config: unknown, schema: Schema): unknown {
  if (config === undefined) return live;
  if (live === undefined) return config;
  const type = fieldTypeOf(schema);
  // A null where fields or items are merged one by one says nothing of those that are there.
  if (config === null && type.kind !== "leaf" && isFilled(live)) return live;
  if (type.kind === "keyed" || type.kind === "set") {
    return Array.isArray(live) && Array.isArray(config) ? mergeItems(live, config, type) : config;
  }
  if (type.kind === "leaf" || !isJsonObject(live) || !isJsonObject(config)) return config;
  const merged: JsonObject = { ...live };
  for (const [name, value] of Object.entries(config)) {
    define(merged, name, merge(own(live, name), value, schemaOfField(type, name)));
  }
  return merged;
}

function isFilled(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

/** Items in the configuration's order; those it does not speak of keep their place among the live ones. */
function mergeItems(live: unknown[], config: unknown[], type: FieldType & { kind: "keyed" | "set" }): unknown[] {
  const left = live.map((item) => itemElement(type, item));
  const right = config.map((item) => itemElement(type, item));
  const counts = new Map<string | undefined, number>();
  for (const element of left) counts.set(element, (counts.get(element) ?? 0) + 1);
  const liveItem = new Map(left.map((element, index) => [element, live[index]]));
  const wanted = new Set(right);
  const taken = new Set<string | undefined>();
  const shared = right.filter((element) => counts.has(element));
  const merged: unknown[] = [];
  let nextShared = 0;
  const take = (index: number) => {
    const element = right[index];
    taken.add(element);
    const before = counts.get(element) === 1 ? liveItem.get(element) : undefined;
    merged.push(type.kind === "keyed" ? merge(before, config[index], type.items) : config[index]);
    if (shared[nextShared] === element) nextShared++;
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < config.length) {
    if (l < live.length && r < config.length) {
      if (left[l] === right[r]) {
        take(r++);
        l++;
        continue;
      }
      if (wanted.has(left[l]) && nextShared < shared.length && shared[nextShared] !== left[l]) {
        l++;
        continue;
      }
    }
    if (l < live.length) {
      if (!wanted.has(left[l])) {
        merged.push(live[l++]);
        continue;
      }
      if (taken.has(left[l])) {
        l++;
        continue;
      }
    }
    if (r < config.length) take(r++);
  }
  return merged;
}

/** The value without the paths of the set; undefined when a map or list has lost everything. */
export function removePaths(value: unknown, paths: FieldSet, schema: Schema): unknown {
  if (isEmptySet(paths)) return value;
  const type = fieldTypeOf(schema);
  if (type.kind === "leaf") return value;
  if (type.kind === "keyed" || type.kind === "set") {
    if (!Array.isArray(value) || value.length === 0) return value;
    const kept = value.flatMap((item: unknown) => {
      const node = paths[itemElement(type, item) ?? ""];
      if (node === undefined) return [item];
      if (isMember(node) || type.kind === "set") return [];
      const left = removePaths(item, node, type.items);
      return left === undefined ? [] : [left];
    });
    return kept.length > 0 ? kept : undefined;
  }
  if (!isJsonObject(value)) return value;
  const kept: JsonObject = {};
  for (const [name, field] of Object.entries(value)) {
    const node = paths[fieldElement(name)];
    if (node !== undefined && isMember(node)) continue;
    const left = removePaths(field, node ?? EMPTY, schemaOfField(type, name));
    if (left !== undefined) define(kept, name, left);
  }
  return Object.keys(kept).length > 0 ? kept : undefined;
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Sets a field whatever its name: __proto__ is one like any other. */
function define(object: JsonObject, name: string, value: unknown): void {
  if (name === "__proto__") {
    Object.defineProperty(object, name, { value, enumerable: true, writable: true, configurable: true });
  } else object[name] = value;
}
