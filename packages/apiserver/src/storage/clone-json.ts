// Copies of JSON values: a tenth of the time that structuredClone takes, which must be ready for anything.

/** A private copy as the wire would make it: fields that are undefined are left out. */
export function cloneJson<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const copy: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) {
    if (field === undefined) continue;
    // A map's key may be called so: it must not become the copy's prototype.
    if (key === "__proto__") {
      Object.defineProperty(copy, key, {
        value: cloneJson(field),
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else copy[key] = cloneJson(field);
  }
  return copy as T;
}
