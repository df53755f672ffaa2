// Short hashes of API objects: pod-template-hash, controller-revision-hash. Deterministic over canonical JSON, so key
// order never matters; not for secrets.

const SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** FNV-1a over the text's UTF-8 bytes, 32 bits, unsigned. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/** FNV-1 (upstream: fnv.New32) over the text's UTF-8 bytes, 32 bits, unsigned. */
export function fnv32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) {
    hash = Math.imul(hash, 0x01000193) ^ byte;
  }
  return hash >>> 0;
}

/** Upstream's rand.SafeEncodeString: letters that cannot form words. */
export function safeEncodeString(text: string): string {
  return [...Buffer.from(text)].map((byte) => SAFE_ALPHABET[byte % SAFE_ALPHABET.length]).join("");
}

/** JSON with sorted keys; fields that are undefined are left out. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`);
  return `{${fields.join(",")}}`;
}

/** Upstream's controller.ComputeHash: a template's short hash, which a collisionCount changes. */
export function computeHash(template: unknown, collisionCount?: number): string {
  const salt = collisionCount === undefined ? "" : `/${collisionCount}`;
  return safeEncodeString(String(fnv32a(`${canonicalJson(template)}${salt}`)));
}
