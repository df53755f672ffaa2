// Strategic merge patch (apimachinery pkg/util/strategicpatch): merges lists by the schema's merge keys and obeys the
// directives $patch, $retainKeys, $deleteFromPrimitiveList and $setElementOrder. Pure.

import { definition } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";

type JsonObject = { [field: string]: unknown };

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM = "$deleteFromPrimitiveList/";
const ELEMENT_ORDER = "$setElementOrder/";

/** A patch that no object could take: answered with 400 or 422 by the handler. */
export class PatchFault extends Error {
  override readonly name = "PatchFault";
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function resolved(schema: Schema | undefined): Schema {
  return schema?.ref === undefined ? (schema ?? {}) : { ...schema, ...definition(schema.ref), ref: undefined as never };
}

/** The original with the patch applied, by the schema of the kind; shares structure with both. */
export function strategicMergePatch(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  return mergeMaps(original, patch, resolved(schema));
}

function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  const directive = patch[DIRECTIVE];
  if (directive !== undefined) {
    const { [DIRECTIVE]: _directive, ...rest } = patch;
    if (directive === "replace") return withoutDirectives(rest);
    if (directive === "delete") return {};
    if (directive !== "merge") throw unknownDirective(directive);
  }
  let result: JsonObject = { ...original };
  const retain = patch[RETAIN_KEYS];
  if (retain !== undefined) result = retainKeys(result, patch, retain);
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key === "__proto__") continue;
    if (key.startsWith(DELETE_FROM)) deleteFromPrimitiveList(result, key.slice(DELETE_FROM.length), value);
    else if (key.startsWith(ELEMENT_ORDER)) continue;
    else if (value === null) delete result[key];
    else result[key] = mergeField(result[key], value, fieldSchema(schema, key));
  }
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(ELEMENT_ORDER))
      setElementOrder(result, { field: key.slice(ELEMENT_ORDER.length), order: value, patch, schema });
  }
  return result;
}

function fieldSchema(schema: Schema, field: string): Schema {
  const own = schema.properties && Object.hasOwn(schema.properties, field) ? schema.properties[field] : undefined;
  return own ?? schema.additionalProperties ?? {};
}

function mergeField(original: unknown, patch: unknown, declared: Schema): unknown {
  const schema = resolved(declared);
  const strategies = (declared.patchStrategy ?? "").split(",");
  if (isObject(patch)) {
    const replaces = strategies.includes("replace") || declared.mapType === "atomic";
    if (replaces || !isObject(original)) {
      if (patch[DIRECTIVE] === "delete") return {};
      return withoutDirectives(patch);
    }
    return mergeMaps(original, patch, schema);
  }
  if (Array.isArray(patch)) {
    if (!strategies.includes("merge")) return patch.map(withoutDirectives);
    return mergeLists(Array.isArray(original) ? original : [], patch, declared);
  }
  return patch;
}

function mergeLists(original: readonly unknown[], patch: readonly unknown[], schema: Schema): unknown[] {
  const mergeKey = schema.patchMergeKey;
  if (!patch.some(isObject) && !original.some(isObject)) {
    const result = [...original];
    for (const value of patch) if (!result.includes(value)) result.push(value);
    return result;
  }
  if (mergeKey === undefined) return patch.map(withoutDirectives);
  const replace = patch.some((item) => isObject(item) && item[DIRECTIVE] === "replace");
  let result: unknown[] = replace ? [] : [...original];
  const itemSchema = resolved(schema.items);
  for (const item of patch) {
    if (!isObject(item))
      throw new PatchFault(`expected type map[string]interface {} for list item, got ${typeof item}`);
    const directive = item[DIRECTIVE];
    const { [DIRECTIVE]: _directive, ...content } = item;
    if (directive === "replace" && Object.keys(content).length === 0) continue;
    const key = content[mergeKey];
    if (key === undefined)
      throw new PatchFault(`map: ${goMap(content)} does not contain declared merge key: ${mergeKey}`);
    const matches = (candidate: unknown) => isObject(candidate) && candidate[mergeKey] === key;
    if (directive === "delete") {
      result = result.filter((candidate) => !matches(candidate));
      continue;
    }
    if (directive !== undefined && directive !== "merge" && directive !== "replace") throw unknownDirective(directive);
    const index = result.findIndex(matches);
    if (index < 0) result.push(withoutDirectives(content));
    else result[index] = mergeMaps(result[index] as JsonObject, content, itemSchema);
  }
  return result;
}

function retainKeys(original: JsonObject, patch: JsonObject, retain: unknown): JsonObject {
  if (!Array.isArray(retain)) throw new PatchFault("$retainKeys directive must be a list");
  const kept = new Set(retain);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$") || value === null) continue;
    if (!kept.has(key)) throw new PatchFault("$retainKeys list must contain all keys of the patch");
  }
  return Object.fromEntries(Object.entries(original).filter(([key]) => kept.has(key)));
}

function deleteFromPrimitiveList(target: JsonObject, field: string, values: unknown): void {
  if (!Array.isArray(values)) throw new PatchFault("$deleteFromPrimitiveList directive must be a list");
  const list = target[field];
  if (Array.isArray(list)) target[field] = list.filter((value) => !values.includes(value));
}

/** Items named by the order stand in it; items that only the server has keep their place after what they followed. */
function setElementOrder(
  target: JsonObject,
  { field, order, patch, schema }: { field: string; order: unknown; patch: JsonObject; schema: Schema },
): void {
  const list = target[field];
  if (!Array.isArray(order) || !Array.isArray(list)) return;
  const mergeKey = fieldSchema(schema, field).patchMergeKey;
  const keyOf = (item: unknown) => (mergeKey !== undefined && isObject(item) ? item[mergeKey] : item);
  const position = new Map(order.map((item, index) => [keyOf(item), index]));
  const patched = patch[field];
  for (const item of Array.isArray(patched) ? patched : []) {
    const deleted = isObject(item) && item[DIRECTIVE] !== undefined;
    if (!deleted && !position.has(keyOf(item))) {
      throw new PatchFault(
        `The order in patch list:\n${goMap(patched)}\n doesn't match $setElementOrder list:\n${goMap(order)}\n`,
      );
    }
  }
  const ordered = list.filter((item) => position.has(keyOf(item)));
  ordered.sort((a, b) => position.get(keyOf(a))! - position.get(keyOf(b))!);
  const result: unknown[] = [];
  let next = 0;
  for (const item of list) {
    if (!position.has(keyOf(item))) result.push(item);
    else result.push(ordered[next++]);
  }
  target[field] = result;
}

/** New content carries no directives into the object (upstream: discardNullValuesFromPatch, ignore unmatched nulls). */
function withoutDirectives(value: unknown): JsonObject;
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((item) => !(isObject(item) && (item[DIRECTIVE] === "delete" || isLoneReplace(item))))
      .map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const directive =
      key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(DELETE_FROM) || key.startsWith(ELEMENT_ORDER);
    if (directive || item === null || key === "__proto__") continue;
    result[key] = withoutDirectives(item);
  }
  return result;
}

function isLoneReplace(item: JsonObject): boolean {
  return item[DIRECTIVE] === "replace" && Object.keys(item).length === 1;
}

function unknownDirective(directive: unknown): PatchFault {
  return new PatchFault(`Unknown patch type found: ${String(directive)}`);
}

function goMap(value: unknown): string {
  return JSON.stringify(value);
}
