// Strategic merge patch (apimachinery pkg/util/strategicpatch: mergeMap, mergeSlice): merges lists by the schema's merge
// keys and obeys the directives $patch, $retainKeys, $deleteFromPrimitiveList and $setElementOrder. Pure.

import { definition } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { inElementOrder } from "./element-order.js";
import { goTypeOf, goValue } from "./go-values.js";
import { PatchFault } from "./patch-fault.js";

export type JsonObject = { [field: string]: unknown };

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM = "$deleteFromPrimitiveList";
const ELEMENT_ORDER = "$setElementOrder";

/** The original with the patch applied, by the schema of the kind; shares structure with both. */
export function strategicMergePatch(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  return mergeMap(original, patch, schema);
}

function mergeMap(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (Object.hasOwn(patch, DIRECTIVE)) return byDirective(patch);
  const result: JsonObject = { ...original };
  const rest = new Map(Object.entries(patch));
  rest.delete("__proto__");
  retainKeys(result, rest);
  for (const [key, value] of rest)
    if (key.startsWith(ELEMENT_ORDER)) mergeInOrder(result, rest, { key, value, schema });
  for (const [key, value] of rest) {
    const isDeletion = key.startsWith(DELETE_FROM);
    const field = isDeletion ? fieldOf(key, DELETE_FROM) : key;
    if (value === null) delete result[field];
    else if (!Object.hasOwn(result, field) || goTypeOf(result[field]) !== goTypeOf(value)) {
      if (!isDeletion) setCleaned(result, field, value);
    } else result[field] = mergeValue(result[field], value, { schema: fieldSchema(schema, field), isDeletion });
  }
  return result;
}

function byDirective({ [DIRECTIVE]: directive, ...rest }: JsonObject): JsonObject {
  if (directive === "replace") return rest;
  if (directive === "delete") return {};
  throw unknownDirective(directive, { [DIRECTIVE]: directive, ...rest });
}

function mergeValue(
  original: unknown,
  patch: unknown,
  { schema, isDeletion }: { schema: Schema; isDeletion: boolean },
): unknown {
  const strategy = strategyOf(schema);
  if (isObject(original) && isObject(patch)) {
    return strategy === "replace" ? patch : mergeMap(original, patch, resolved(schema));
  }
  if (!Array.isArray(original) || !Array.isArray(patch) || strategy !== "merge") return patch;
  return mergeList(original, patch, { schema, isDeletion });
}

/** "merge", "replace" or none; retainKeys, which a client obeys, is passed over. */
function strategyOf({ patchStrategy = "" }: Schema): string | undefined {
  return patchStrategy.split(",").find((strategy) => strategy !== "retainKeys" && strategy !== "");
}

function mergeList(
  original: readonly unknown[],
  patch: readonly unknown[],
  { schema, isDeletion = false }: { schema: Schema; isDeletion?: boolean },
): unknown[] {
  const type = elementType(original, patch);
  if (type === undefined) return [...original];
  if (type !== "map[string]interface {}") {
    if (isDeletion) return original.filter((value) => !patch.includes(value));
    return inElementOrder([...new Set([...original, ...patch])], { wanted: patch, former: original });
  }
  const mergeKey = schema.patchMergeKey;
  if (mergeKey === undefined) throw new PatchFault("cannot merge lists without merge key for type struct");
  const { kept, added } = obeyed(original as JsonObject[], patch as JsonObject[], mergeKey);
  const merged = [...kept];
  for (const item of added) {
    const key = keyOf(item, mergeKey);
    const index = merged.findIndex((each) => each[mergeKey] === key);
    if (index < 0) merged.push(cleaned(item) as JsonObject);
    else merged[index] = mergeMap(merged[index]!, item, resolved(schema.items ?? {}));
  }
  return inElementOrder(merged, { wanted: added, former: kept, mergeKey });
}

/** The items that stay and those that come when the patch's deletions and replacements are done. */
function obeyed(
  original: readonly JsonObject[],
  patch: readonly JsonObject[],
  mergeKey: string,
): { kept: readonly JsonObject[]; added: readonly JsonObject[] } {
  let kept = original;
  let replaces = false;
  const added: JsonObject[] = [];
  for (const item of patch) {
    if (!Object.hasOwn(item, DIRECTIVE)) added.push(item);
    else if (item[DIRECTIVE] === "replace") replaces = true;
    else if (item[DIRECTIVE] === "delete") {
      const key = keyOf(item, mergeKey);
      kept = kept.filter((each) => each[mergeKey] !== key);
    } else if (item[DIRECTIVE] === "merge") {
      throw new PatchFault("merging lists cannot yet be specified in the patch");
    } else throw unknownDirective(item[DIRECTIVE], item);
  }
  return replaces ? { kept: added, added: [] } : { kept, added };
}

/** Merges the list that an order speaks of, and puts it in that order; both are then done with. */
function mergeInOrder(
  result: JsonObject,
  rest: Map<string, unknown>,
  { key, value: order, schema }: { key: string; value: unknown; schema: Schema },
): void {
  rest.delete(key);
  const field = fieldOf(key, ELEMENT_ORDER);
  const original = Object.hasOwn(result, field) ? result[field] : undefined;
  const patch = rest.get(field);
  for (const list of [order, original ?? [], patch ?? []]) {
    if (!Array.isArray(list)) throw new PatchFault(`expected a []interface {}, but received a ${goTypeOf(list)}`);
  }
  const declared = fieldSchema(schema, field);
  const { patchMergeKey: mergeKey } = declared;
  checkOrder((patch ?? []) as unknown[], order as unknown[], mergeKey);
  if (original === undefined && patch === undefined) return;
  const merged =
    patch === undefined
      ? (original as unknown[])
      : original === undefined
        ? (cleaned(patch) as unknown[])
        : (mergeValue(original, patch, { schema: declared, isDeletion: false }) as unknown[]);
  const former = (original ?? []) as unknown[];
  result[field] = inElementOrder(merged, { wanted: order as unknown[], former, mergeKey });
  rest.delete(field);
}

/** Whatever the patch adds or changes must stand in the order, and in the same order. */
function checkOrder(patch: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (patch.length === 0 || order.length === 0) return;
  const identity = (item: unknown) => (mergeKey === undefined ? item : keyOf(item, mergeKey));
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, DIRECTIVE)));
  let next = 0;
  for (const item of order) if (next < items.length && identity(items[next]) === identity(item)) next++;
  if (next === items.length) return;
  throw new PatchFault(
    `The order in patch list:\n${goValue(patch)}\n doesn't match ${ELEMENT_ORDER} list:\n${goValue(order)}\n`,
  );
}

function retainKeys(result: JsonObject, rest: Map<string, unknown>): void {
  if (!rest.has(RETAIN_KEYS)) return;
  const retained = rest.get(RETAIN_KEYS);
  rest.delete(RETAIN_KEYS);
  const fault = new PatchFault("invalid patch format of retainKeys");
  if (!Array.isArray(retained)) throw fault;
  for (const [key, value] of rest) {
    const isDirective = key.startsWith(DELETE_FROM) || key.startsWith(ELEMENT_ORDER);
    if (value !== null && !isDirective && !retained.includes(key)) throw fault;
  }
  for (const key of Object.keys(result)) if (!retained.includes(key)) delete result[key];
}

/** The field that a directive of the form "$directive/field" speaks of. */
function fieldOf(key: string, directive: string): string {
  if (key.startsWith(`${directive}/`)) return key.slice(directive.length + 1);
  const what = directive === DELETE_FROM ? "primitive list" : "setElementOrder list";
  throw new PatchFault(`invalid patch format of ${what}`);
}

function setCleaned(result: JsonObject, field: string, value: unknown): void {
  const left = cleaned(value);
  if (left === undefined) delete result[field];
  else result[field] = left;
}

/** New content without nulls and without directives; undefined for what is there for its directive alone. */
function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, DIRECTIVE)) return undefined;
  const result: JsonObject = {};
  for (const [key, field] of Object.entries(value)) {
    const isDirective = key === RETAIN_KEYS || key.startsWith(`${DELETE_FROM}/`) || key.startsWith(`${ELEMENT_ORDER}/`);
    if (field === null || isDirective || key === "__proto__") continue;
    const left = cleaned(field);
    if (left !== undefined) result[key] = left;
  }
  return result;
}

/** What all elements are; undefined when there are none. */
function elementType(...lists: readonly (readonly unknown[])[]): string | undefined {
  const types = new Set(lists.flatMap((list) => list.map(goTypeOf)));
  if (types.has("[]interface {}")) throw new PatchFault("lists of lists are not supported", 422);
  if (types.size > 1) throw new PatchFault(`list element types are not identical: ${goValue(lists)}`);
  return [...types][0];
}

function keyOf(item: unknown, mergeKey: string): unknown {
  if (!isObject(item)) {
    throw new PatchFault(`expected a map[string]interface {}, but received a ${goTypeOf(item)}`);
  }
  if (Object.hasOwn(item, mergeKey)) return item[mergeKey];
  throw new PatchFault(`map: ${goValue(item)} does not contain declared merge key: ${mergeKey}`);
}

function fieldSchema(schema: Schema, field: string): Schema {
  const { properties, additionalProperties } = resolved(schema);
  const own = properties && Object.hasOwn(properties, field) ? properties[field] : undefined;
  return own ?? additionalProperties ?? {};
}

/** The schema that a reference leads to, with what is said of the reference itself. */
function resolved(schema: Schema): Schema {
  if (schema.ref === undefined) return schema;
  const { ref, ...own } = schema;
  return { ...definition(ref), ...own };
}

function unknownDirective(directive: unknown, item: JsonObject): PatchFault {
  return new PatchFault(`unknown patch type: ${goValue(directive)} in map: ${goValue(item)}`);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
