// JSON patch (RFC 6902) as upstream's library understands it (gopkg.in/evanphx/json-patch.v4): negative indexes count
// from the end, a replace may add a field, and every fault has its words. Changes the document in place.

import { PatchFault } from "./patch-fault.js";

/** What all copy operations of one patch may add, in bytes. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

export interface Operation {
  readonly op?: unknown;
  readonly path?: unknown;
  readonly from?: unknown;
  readonly value?: unknown;
}

type JsonObject = { [field: string]: unknown };
type Container = JsonObject | unknown[];

/** The document with the operations done one after the other. Throws a PatchFault that answers 422. */
export function jsonPatch(document: JsonObject, operations: readonly Operation[]): unknown {
  const state: State = { document, copiedBytes: 0 };
  for (const operation of operations) perform(operation, state);
  return state.document;
}

interface State {
  document: Container;
  copiedBytes: number;
}

const OPERATIONS: { readonly [op: string]: (operation: Operation, state: State) => void } = {
  add,
  remove,
  replace,
  move,
  copy,
  test: check,
};

function perform(operation: Operation, state: State): void {
  const op = typeof operation.op === "string" ? operation.op : "unknown";
  if (!Object.hasOwn(OPERATIONS, op)) throw fault(`Unexpected kind: ${op}`);
  OPERATIONS[op]!(operation, state);
}

function add({ path, value }: Operation, { document }: State): void {
  if (typeof path !== "string") throw fault("add operation failed to decode path: missing value");
  const place = placeOf(document, path);
  if (!place) throw fault(`add operation does not apply: doc is missing path: "${path}": missing value`);
  within(`error in add for path: '${path}'`, () => insert(place, structuredClone(value ?? null)));
}

function remove({ path }: Operation, { document }: State): void {
  if (typeof path !== "string") throw fault("remove operation failed to decode path: missing value");
  const place = placeOf(document, path);
  if (!place) throw fault(`remove operation does not apply: doc is missing path: "${path}": missing value`);
  within(`error in remove for path: '${path}'`, () => take(place));
}

function replace({ path, value }: Operation, state: State): void {
  if (typeof path !== "string") {
    throw fault("replace operation failed to decode path: operation missing path field: missing value");
  }
  if (path === "") {
    if (typeof value !== "object" || value === null) throw fault("replace operation value must be object or array");
    state.document = structuredClone(value) as Container;
    return;
  }
  const place = placeOf(state.document, path);
  if (!place) throw fault(`replace operation does not apply: doc is missing path: ${path}: missing value`);
  try {
    read(place);
  } catch {
    throw fault(`replace operation does not apply: doc is missing key: ${path}: missing value`);
  }
  if (Array.isArray(place.container)) {
    const { container, key } = place;
    container[indexOf(key, container.length)] = structuredClone(value ?? null);
  } else define(place.container, place.key, structuredClone(value ?? null));
}

function move({ path, from }: Operation, { document }: State): void {
  if (typeof from !== "string") {
    throw fault("move operation failed to decode from: operation, missing from field: missing value");
  }
  const source = placeOf(document, from);
  if (!source) throw fault(`move operation does not apply: doc is missing from path: ${from}: missing value`);
  const value = within(`error in move for path: '${source.key}'`, () => take(source));
  if (typeof path !== "string") {
    throw fault("move operation failed to decode path: operation missing path field: missing value");
  }
  const place = placeOf(document, path);
  if (!place) throw fault(`move operation does not apply: doc is missing destination path: ${path}: missing value`);
  within(`error in move for path: '${path}'`, () => insert(place, value));
}

function copy({ path, from }: Operation, state: State): void {
  if (typeof from !== "string") {
    throw fault("copy operation failed to decode from: operation, missing from field: missing value");
  }
  const source = placeOf(state.document, from);
  if (!source) throw fault(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
  const value = within(`error in copy for from: '${from}'`, () => read(source)) ?? null;
  if (typeof path !== "string") throw fault("copy operation failed to decode path: missing value");
  const place = placeOf(state.document, path);
  if (!place) throw fault(`copy operation does not apply: doc is missing destination path: ${path}: missing value`);
  state.copiedBytes += Buffer.byteLength(JSON.stringify(value));
  if (state.copiedBytes > MAX_COPIED_BYTES) {
    throw fault(
      `Unable to complete the copy, the accumulated size increase of copy is ${state.copiedBytes}, exceeding the limit ${MAX_COPIED_BYTES}`,
    );
  }
  within("error while adding value during copy", () => insert(place, structuredClone(value)));
}

function check({ path, value }: Operation, { document }: State): void {
  if (typeof path !== "string") {
    throw fault("test operation failed to decode path: operation missing path field: missing value");
  }
  let found: unknown = document;
  if (path !== "") {
    const place = placeOf(document, path);
    if (!place) throw fault(`test operation does not apply: is missing path: ${path}: missing value`);
    found = within(`error in test for path: '${path}'`, () => read(place));
  }
  if (!isEqual(found ?? null, value ?? null)) throw fault(`testing value ${path} failed: test failed`);
}

/** Where a path ends: the container that is there, and the last key in it. */
interface Place {
  readonly container: Container;
  readonly key: string;
}

function placeOf(document: Container, path: string): Place | undefined {
  const [, ...keys] = path.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const key = keys.pop();
  if (key === undefined) return undefined;
  let container: unknown = document;
  for (const part of keys) {
    try {
      container = read({ container: container as Container, key: part });
    } catch {
      return undefined;
    }
    if (typeof container !== "object" || container === null) return undefined;
  }
  return { container: container as Container, key };
}

function read({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container[indexOf(key, container.length)];
  return Object.hasOwn(container, key) ? container[key] : undefined;
}

function insert({ container, key }: Place, value: unknown): void {
  if (!Array.isArray(container)) define(container, key, value);
  else if (key === "-") container.push(value);
  else {
    const index = within(`value was not a proper array index: '${key}'`, () => atoi(key));
    container.splice(checkedIndex(index, container.length + 1), 0, value);
  }
}

function take({ container, key }: Place): unknown {
  if (Array.isArray(container)) return container.splice(indexOf(key, container.length), 1)[0];
  if (!Object.hasOwn(container, key)) throw fault(`Unable to remove nonexistent key: ${key}: missing value`);
  const value = container[key];
  delete container[key];
  return value;
}

function indexOf(key: string, length: number): number {
  return checkedIndex(atoi(key), length);
}

/** Negative indexes count from the end. */
function checkedIndex(index: number, length: number): number {
  if (index >= length || index < -length)
    throw fault(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

function atoi(key: string): number {
  if (!/^[+-]?\d{1,18}$/.test(key)) throw fault(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  return Number(key);
}

/** Sets a field whatever its name: __proto__ is one like any other. */
function define(object: JsonObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
}

function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every(
    (key) => Object.hasOwn(b, key) && isEqual((a as JsonObject)[key] ?? null, (b as JsonObject)[key] ?? null),
  );
}

/** Puts what was being done before the words of a fault. */
function within<T>(doing: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof PatchFault ? fault(`${doing}: ${error.message}`) : error;
  }
}

function fault(message: string): PatchFault {
  return new PatchFault(message, 422);
}
