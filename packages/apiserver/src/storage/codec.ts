// The bytes of a stored object: how they are written, where the resourceVersion belongs in them, and how it gets there.
// Never looks at what an object means.

import type { KubernetesObject } from "@picokube/api/meta/v1";

const UID_MARK = Buffer.from('"uid":"');
const METADATA_MARK = Buffer.from('"metadata":{');
const CONTROLLED = new Set(["name", "generateName", "namespace", "uid", "resourceVersion", "selfLink"]);

/** Serialises an object once, in upstream's order of fields and without its resourceVersion: what the store keeps. */
export function encodeObject(object: KubernetesObject): Buffer {
  const { kind, apiVersion, metadata, ...rest } = object;
  const restOfMetadata: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(metadata)) {
    if (!CONTROLLED.has(field)) restOfMetadata[field] = value;
  }
  const { name, generateName, namespace, uid } = metadata;
  const identity = JSON.stringify({ name, generateName, namespace, uid });
  const tail = JSON.stringify(restOfMetadata).slice(1);
  const separator = tail.length > 1 && identity.length > 2 ? "," : "";
  const body = JSON.stringify(rest);
  const end = body === "{}" ? "}" : `,${body.slice(1)}`;
  return Buffer.from(
    `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${identity.slice(0, -1)}${separator}${tail}${end}`,
  );
}

/** Where the resourceVersion belongs: after the uid, or first in metadata when the object has none. */
function spliceOffset(stored: Buffer): number {
  const uid = stored.indexOf(UID_MARK);
  if (uid >= 0) return stored.indexOf('"', uid + UID_MARK.length) + 1;
  return stored.indexOf(METADATA_MARK) + METADATA_MARK.length;
}

/** The stored bytes with the commit's revision as resourceVersion: what goes over the wire. */
export function spliceRevision(stored: Buffer, revision: number): Buffer {
  const offset = spliceOffset(stored);
  const first = stored[offset - 1] === 0x7b;
  const text = first
    ? `"resourceVersion":"${revision}"${stored[offset] === 0x7d ? "" : ","}`
    : `,"resourceVersion":"${revision}"`;
  // Not from the shared pool: a small slice that lives long would keep its whole 8 KB slab alive.
  const result = Buffer.allocUnsafeSlow(stored.length + text.length);
  stored.copy(result, 0, 0, offset);
  result.write(text, offset, "latin1");
  stored.copy(result, offset + text.length, offset);
  return result;
}

/** Bytes that went over the wire, under another revision: what left a watcher's selection is told as it was last seen. */
export function replaceRevision(bytes: Buffer, revisions: { from: number; to: number }): Buffer {
  const mark = Buffer.from(`"resourceVersion":"${revisions.from}"`);
  const offset = bytes.indexOf(mark, spliceOffset(bytes));
  const replacement = Buffer.from(`"resourceVersion":"${revisions.to}"`);
  return Buffer.concat([bytes.subarray(0, offset), replacement, bytes.subarray(offset + mark.length)]);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The metadata of an object's bytes, as it stands in them. end is where endOfMetadata found it, when that is known. */
export function metadataBytes(bytes: Buffer, end = endOfMetadata(bytes)): Buffer {
  return bytes.subarray(startOfMetadata(bytes), end);
}

function startOfMetadata(bytes: Buffer): number {
  return bytes.indexOf(METADATA_MARK) + METADATA_MARK.length - 1;
}

/** Where the metadata of an object's bytes ends. */
export function endOfMetadata(bytes: Buffer): number {
  const start = startOfMetadata(bytes);
  let depth = 0;
  let inString = false;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at];
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  throw new Error("the bytes hold no metadata");
}

/** The object of bytes that this file wrote. */
export function parseObject<T extends KubernetesObject>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T;
}
