// Sets of field paths, kept as FieldsV1 itself (structured-merge-diff pkg/fieldpath): "f:" fields, "k:" list items by
// keys, "v:" members of sets; "." marks a path that belongs itself beside those below it. Immutable: an operation that
// changes nothing gives back its argument, so that "is it still the same set" is one comparison. Knows no schema.

/** A set of paths in FieldsV1's form. {} is the empty set at the root, and a lone path everywhere below. */
export interface FieldSet {
  readonly [element: string]: FieldSet;
}

interface Building {
  [element: string]: FieldSet;
}

/** The set of no path; below the root, a path with nothing under it. */
export const EMPTY: FieldSet = Object.freeze({});

const SELF = ".";

/** True for a set without any path. */
export function isEmptySet(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** True when the path of this node itself belongs to the set. */
export function isMember(node: FieldSet): boolean {
  return node[SELF] !== undefined || isEmptySet(node);
}

/** A node out of its children, in FieldsV1's order; undefined when nothing is left of it. */
export function nodeOf(children: { [element: string]: FieldSet }, options: { member: boolean }): FieldSet | undefined {
  const elements = Object.keys(children);
  if (elements.length === 0) return options.member ? EMPTY : undefined;
  const node: Building = options.member ? { [SELF]: EMPTY } : {};
  for (const element of elements.sort()) node[element] = children[element]!;
  return node;
}

/** The root of a set out of its children. */
export function setOf(children: { [element: string]: FieldSet }): FieldSet {
  return nodeOf(children, { member: false }) ?? EMPTY;
}

/** All paths of both. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b) || a === b) return a;
  if (isEmptySet(a)) return b;
  return unionChildren(a, b, { member: false });
}

function unionNodes(a: FieldSet, b: FieldSet): FieldSet {
  return a === b ? a : unionChildren(a, b, { member: isMember(a) || isMember(b) });
}

function unionChildren(a: FieldSet, b: FieldSet, { member }: { member: boolean }): FieldSet {
  const children: Building = {};
  let isA = member === false || isMember(a);
  for (const element in a) if (element !== SELF) children[element] = a[element]!;
  for (const element in b) {
    if (element === SELF) continue;
    const present = children[element];
    const merged = present === undefined ? b[element]! : unionNodes(present, b[element]!);
    if (merged === present) continue;
    children[element] = merged;
    isA = false;
  }
  return isA ? a : nodeOf(children, { member })!;
}

/** The paths of a that are not in b; a path below one of b's stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  return differenceOf(a, b, { isRoot: true }) ?? EMPTY;
}

function differenceOf(a: FieldSet, b: FieldSet, { isRoot }: { isRoot: boolean }): FieldSet | undefined {
  const children: Building = {};
  const wasMember = !isRoot && isMember(a);
  const member = wasMember && !isMember(b);
  let isA = member === wasMember;
  for (const element in a) {
    if (element === SELF) continue;
    const taken = b[element];
    const left = taken === undefined ? a[element]! : differenceOf(a[element]!, taken, { isRoot: false });
    if (left !== a[element]) isA = false;
    if (left !== undefined) children[element] = left;
  }
  return isA ? a : nodeOf(children, { member });
}

/** The paths of a that are neither in b nor below a path of b (structured-merge-diff: RecursiveDifference). */
export function recursiveDifference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a) || isEmptySet(b)) return a;
  return recursiveDifferenceOf(a, b, { isRoot: true }) ?? EMPTY;
}

function recursiveDifferenceOf(a: FieldSet, b: FieldSet, { isRoot }: { isRoot: boolean }): FieldSet | undefined {
  if (!isRoot && isMember(b)) return undefined;
  const children: Building = {};
  let isA = true;
  for (const element in a) {
    if (element === SELF) continue;
    const taken = b[element];
    const left = taken === undefined ? a[element]! : recursiveDifferenceOf(a[element]!, taken, { isRoot: false });
    if (left !== a[element]) isA = false;
    if (left !== undefined) children[element] = left;
  }
  return isA ? a : nodeOf(children, { member: !isRoot && isMember(a) });
}

/** The paths of a that lie at or below a path of prefixes, in which "*" stands for any element (NewIncludeMatcherFilter). */
export function within(a: FieldSet, prefixes: FieldSet): FieldSet {
  const children: Building = {};
  for (const element in a) {
    const prefix = prefixes[element] ?? prefixes["*"];
    if (element === SELF || prefix === undefined) continue;
    if (isMember(prefix)) children[element] = a[element]!;
    else {
      const below = within(a[element]!, prefix);
      if (!isEmptySet(below)) children[element] = below;
    }
  }
  return setOf(children);
}

/** True when the path, element by element, belongs to the set itself. */
export function hasPath(set: FieldSet, path: readonly string[]): boolean {
  let node: FieldSet | undefined = set;
  for (const element of path) node = node?.[element];
  return node !== undefined && path.length > 0 && isMember(node);
}

/** The paths that both have. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return intersectionOf(a, b, { isRoot: true }) ?? EMPTY;
}

function intersectionOf(a: FieldSet, b: FieldSet, { isRoot }: { isRoot: boolean }): FieldSet | undefined {
  const children: Building = {};
  for (const element in a) {
    const other = b[element];
    if (element === SELF || other === undefined) continue;
    const both = intersectionOf(a[element]!, other, { isRoot: false });
    if (both !== undefined) children[element] = both;
  }
  return nodeOf(children, { member: !isRoot && isMember(a) && isMember(b) });
}

/** True when both hold the same paths. */
export function sameSet(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  const elements = Object.keys(a);
  if (elements.length !== Object.keys(b).length) return false;
  return elements.every((element) => b[element] !== undefined && sameSet(a[element]!, b[element]!));
}

/** The paths of a set, a path before those below it, each as its elements. */
export function* pathsOf(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  for (const [element, node] of Object.entries(set)) {
    if (element === SELF) continue;
    const path = [...above, element];
    if (isMember(node)) yield path;
    yield* pathsOf(node, path);
  }
}

/** A path as people read it: .spec.containers[name="web"].args */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join("");
}

/** One element as people read it: [name="web"] */
export function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith("f:")) return `.${rest}`;
  if (element.startsWith("v:")) return `[=${rest}]`;
  if (element.startsWith("i:")) return `[${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as { [key: string]: unknown });
  return `[${keys.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(",")}]`;
}

/** Reads FieldsV1 that a client sent: canonical elements in order. Throws an Error that says what is wrong. */
export function parseFieldSet(value: unknown): FieldSet {
  return parseNode(value) ?? EMPTY;
}

function parseNode(value: unknown): FieldSet {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Error("expected a map of path elements");
  }
  const children: Building = {};
  let member = false;
  for (const [element, below] of Object.entries(value)) {
    if (element === SELF) member = true;
    else children[canonicalElement(element)] = parseNode(below);
  }
  return nodeOf(children, { member }) ?? EMPTY;
}

function canonicalElement(element: string): string {
  const rest = element.slice(2);
  switch (element.slice(0, 2)) {
    case "f:":
      return element;
    case "v:":
      return `v:${JSON.stringify(JSON.parse(rest))}`;
    case "i:":
      if (/^-?\d+$/.test(rest)) return element;
      throw new Error(`invalid index ${JSON.stringify(rest)}`);
    case "k:":
      return keyElement(Object.entries(JSON.parse(rest) as object));
    default:
      throw new Error(`unknown path element ${JSON.stringify(element)}`);
  }
}

/** The element of a list item by its key fields. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): string {
  const sorted = keys.length > 1 ? [...keys].sort(([a], [b]) => (a < b ? -1 : 1)) : keys;
  return `k:{${sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`;
}

/** The element of a field. */
export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** The element of a member of a set. */
export function valueElement(value: unknown): string {
  return `v:${JSON.stringify(value)}`;
}
