// Objects as an audit event holds them: read out of a body, without what the policy leaves out. Pure.

import { parseYamlDocuments } from "@picokube/component-base/config-file";
import { decodeProtobuf } from "../decode/protobuf.js";

export interface RecordedObject {
  readonly kind?: string;
  readonly metadata?: { name?: string; namespace?: string; uid?: string; resourceVersion?: string };
  readonly [field: string]: unknown;
}

/** What protobuf bodies begin with. */
const PROTOBUF_MAGIC = Buffer.from("k8s\0");

/** The object of a JSON, YAML or protobuf body (a JSON patch's list too); undefined for anything else. */
export function objectOf(body: Buffer): RecordedObject | undefined {
  if (body.length === 0) return undefined;
  const isProtobuf = body.subarray(0, PROTOBUF_MAGIC.length).equals(PROTOBUF_MAGIC);
  return (isProtobuf ? [fromProtobuf] : [fromJson, fromYaml]).reduce<RecordedObject | undefined>(
    (found, read) => found ?? unlessMalformed(() => read(body)),
    undefined,
  );
}

const fromJson = (body: Buffer) => JSON.parse(body.toString()) as RecordedObject;
const fromProtobuf = (body: Buffer) => decodeProtobuf(body, { group: "", version: "", kind: "" }) as RecordedObject;
const fromYaml = (body: Buffer) => {
  const [document] = parseYamlDocuments(body.toString(), { source: "body" });
  return typeof document === "object" && document !== null ? (document as RecordedObject) : undefined;
};

/** Malformed bodies are for the handler to refuse: the log goes without them. */
function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** The object, or each item of a list, without its metadata.managedFields. */
export function withoutManagedFields(object: unknown): unknown {
  const { metadata, items, ...rest } = object as RecordedObject & { items?: unknown[] };
  const { managedFields: _managedFields, ...keptMetadata } = (metadata ?? {}) as { managedFields?: unknown };
  return {
    ...rest,
    ...(metadata ? { metadata: keptMetadata } : {}),
    ...(Array.isArray(items) ? { items: items.map(withoutManagedFields) } : {}),
  };
}
