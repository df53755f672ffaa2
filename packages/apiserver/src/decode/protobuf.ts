// Reads Kubernetes' protobuf bodies into the JSON that they stand for: typed clients, kubectl 1.33 among them, send
// nothing else. Shapes come from the schemas, numbers from protobuf-fields.ts. Never writes protobuf.

import { apiVersionOf, type GroupVersionKind, parseApiVersion } from "@picokube/api/resource";
import { definition, definitionNameOf } from "@picokube/api/schema/load";
import type { Schema } from "@picokube/api/schema/schema";
import { fieldsOfMessage } from "./protobuf-fields.js";
import { type Wire, wireFields } from "./protobuf-wire.js";

export const PROTOBUF = "application/vnd.kubernetes.protobuf";

const MAGIC = Buffer.from("k8s\0");
const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const MAX_DEPTH = 100;

type JsonObject = Record<string, unknown>;

/** The JSON of a body; its kind is the envelope's, or the wanted one when the envelope names none. */
export function decodeProtobuf(body: Buffer, wanted: GroupVersionKind): JsonObject {
  if (body.length < MAGIC.length || !body.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Error("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  }
  let typeMeta: { apiVersion: string; kind: string } = { apiVersion: "", kind: "" };
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, bytes } of wireFields(body.subarray(MAGIC.length))) {
    if (number === 1 && bytes) typeMeta = readTypeMeta(bytes);
    else if (number === 2 && bytes) raw = bytes;
  }
  const apiVersion = typeMeta.apiVersion || apiVersionOf(wanted);
  const kind = typeMeta.kind || wanted.kind;
  // DeleteOptions come in the version of what they delete.
  const name =
    kind === "DeleteOptions" ? `${META}DeleteOptions` : definitionNameOf({ ...parseApiVersion(apiVersion), kind });
  if (name === undefined || !fieldsOfMessage(messageOf(name))) {
    throw new Error(`no kind "${kind}" is registered for version "${apiVersion}" in protobuf`);
  }
  return { apiVersion, kind, ...decodeMessage(raw, name, 0) };
}

function readTypeMeta(bytes: Buffer): { apiVersion: string; kind: string } {
  const result = { apiVersion: "", kind: "" };
  for (const field of wireFields(bytes)) {
    if (field.number === 1) result.apiVersion = field.bytes?.toString() ?? "";
    if (field.number === 2) result.kind = field.bytes?.toString() ?? "";
  }
  return result;
}

/** "io.k8s.api.core.v1.Pod" is core.v1.Pod, metav1's are meta.v1.X: the keys of the table. */
function messageOf(definitionName: string): string {
  return definitionName.replace(/^io\.k8s\.(api|apimachinery\.pkg\.apis)\./, "");
}

function decodeMessage(bytes: Buffer, definitionName: string, depth: number): JsonObject {
  const target: JsonObject = {};
  const properties = definition(definitionName).properties ?? {};
  readInto(target, { bytes, message: messageOf(definitionName), properties, depth });
  return target;
}

function readInto(
  target: JsonObject,
  {
    bytes,
    message,
    properties,
    depth,
  }: {
    bytes: Buffer;
    message: string;
    properties: { [name: string]: Schema };
    depth: number;
  },
): void {
  if (depth > MAX_DEPTH) throw new Error("proto: exceeded max depth");
  const fields = fieldsOfMessage(message);
  for (const wire of wireFields(bytes)) {
    const field = fields?.get(wire.number);
    if (!field) continue;
    if (field.inlined !== undefined) {
      if (wire.bytes) readInto(target, { bytes: wire.bytes, message: field.inlined, properties, depth: depth + 1 });
      continue;
    }
    const schema = properties[field.name];
    if (!schema) continue;
    const { type, additionalProperties, items } = schema;
    if (type === "array" && wire.bytes) {
      target[field.name] ??= [];
      const list = target[field.name] as unknown[];
      list.push(fieldValue(wire, items ?? {}, depth) ?? "");
    } else if (type === "object" && additionalProperties && wire.bytes) {
      target[field.name] ??= {};
      const map = target[field.name] as JsonObject;
      const [key, value] = mapEntry(wire.bytes, additionalProperties, depth);
      Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true });
    } else {
      const value = fieldValue(wire, schema, depth);
      const isZero = value === undefined || value === "" || value === 0 || value === false;
      if (isZero && !field.optional) continue;
      if (value !== undefined) target[field.name] = value;
    }
  }
}

function mapEntry(bytes: Buffer, schema: Schema, depth: number): [string, unknown] {
  let key = "";
  let value: unknown = schema.type === "array" ? [] : schema.format === "quantity" ? "0" : "";
  for (const wire of wireFields(bytes)) {
    if (wire.number === 1) key = wire.bytes?.toString() ?? "";
    else if (wire.number !== 2) continue;
    else if (schema.type === "array" && wire.bytes) {
      // Lists as values are messages of one repeated field (ExtraValue).
      value = [...wireFields(wire.bytes)].map((item) => fieldValue(item, schema.items ?? {}, depth));
    } else value = fieldValue(wire, schema, depth) ?? value;
  }
  return [key, value];
}

function fieldValue(wire: Wire, declared: Schema, depth: number): unknown {
  const schema = declared.ref === undefined ? declared : definition(declared.ref);
  const { bytes, varint } = wire;
  switch (schema.type) {
    case "boolean":
      return varint !== undefined && varint !== 0n;
    case "integer":
      return varint === undefined ? undefined : Number(BigInt.asIntN(64, varint));
    case "number":
      return bytes?.length === 8 ? bytes.readDoubleLE() : undefined;
    case "string":
      return bytes && stringOf(bytes, schema);
    case "array":
      return bytes && [bytes.toString()];
    default:
      if (!bytes) return undefined;
      if (schema.preserveUnknownFields) return rawJson(bytes);
      return declared.ref === undefined ? {} : decodeMessage(bytes, declared.ref, depth + 1);
  }
}

function stringOf(bytes: Buffer, { format }: Schema): unknown {
  switch (format) {
    case "byte":
      return bytes.toString("base64");
    case "quantity":
      return firstBytes(bytes)?.toString() || "0";
    case "date-time":
    case "micro-time":
      return timeOf(bytes, format);
    case "int-or-string":
      return intOrString(bytes);
    default:
      return bytes.toString();
  }
}

function firstBytes(bytes: Buffer): Buffer | undefined {
  for (const { number, bytes: value } of wireFields(bytes)) if (number === 1) return value;
  return undefined;
}

function timeOf(bytes: Buffer, format: string): string | undefined {
  let seconds = 0n;
  let nanos = 0n;
  for (const { number, varint = 0n } of wireFields(bytes)) {
    if (number === 1) seconds = BigInt.asIntN(64, varint);
    else if (number === 2) nanos = BigInt.asIntN(32, varint);
  }
  // Go's zero time, and an empty message.
  if (seconds <= 0n) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return format === "date-time" ? `${whole}Z` : `${whole}.${String(nanos / 1000n).padStart(6, "0")}Z`;
}

function intOrString(bytes: Buffer): number | string {
  let isString = false;
  let number = 0;
  let text = "";
  for (const wire of wireFields(bytes)) {
    if (wire.number === 1) isString = wire.varint === 1n;
    else if (wire.number === 2) number = Number(BigInt.asIntN(32, wire.varint ?? 0n));
    else if (wire.number === 3) text = wire.bytes?.toString() ?? "";
  }
  return isString ? text : number;
}

/** RawExtension, FieldsV1 and JSON carry JSON text in their first field. */
function rawJson(bytes: Buffer): unknown {
  const text = firstBytes(bytes)?.toString() ?? "";
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
