// Semantic equality of JSON values (upstream: apiequality.Semantic.DeepEqual): absent, null, empty list and empty object
// are one thing. Quantities and times are compared as text.

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value !== "object") return false;
  for (const name in value) if (Object.hasOwn(value, name)) return false;
  return true;
}

/** Equal as API objects: key order and emptiness do not count. */
export function semanticDeepEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (isNothing(left) && isNothing(right)) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => semanticDeepEqual(item, right[index]));
  }
  const [a, b] = [left as { [name: string]: unknown }, right as { [name: string]: unknown }];
  for (const name of Object.keys(a)) if (!semanticDeepEqual(a[name], b[name])) return false;
  for (const name of Object.keys(b)) if (!Object.hasOwn(a, name) && !isNothing(b[name])) return false;
  return true;
}
