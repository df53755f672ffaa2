// The messages of KMS v2 and of what it encrypted, as data: each shape is its fields in the order of their numbers from 1
// on (upstream: k8s.io/kms apis/v2 and envelope/kmstypes/v2). Knows nothing of what they mean.

import { wireFields } from "../../decode/protobuf-wire.js";

/** Annotations are a map of text to bytes. */
type FieldKind = "text" | "bytes" | "annotations" | "number";
type Shape = { readonly [field: string]: FieldKind };
interface ValueOf {
  readonly text: string;
  readonly bytes: Buffer;
  readonly annotations: { readonly [key: string]: Buffer };
  readonly number: number;
}

/** The object of a shape: every field is there, empty when it was not sent. */
export type Message<S extends Shape> = { readonly [Field in keyof S]: ValueOf[S[Field]] };

export const statusRequest = {} as const satisfies Shape;
export const statusResponse = { version: "text", healthz: "text", keyId: "text" } as const satisfies Shape;
export const encryptRequest = { plaintext: "bytes", uid: "text" } as const satisfies Shape;
export const encryptResponse = {
  ciphertext: "bytes",
  keyId: "text",
  annotations: "annotations",
} as const satisfies Shape;
export const decryptRequest = {
  ciphertext: "bytes",
  uid: "text",
  keyId: "text",
  annotations: "annotations",
} as const satisfies Shape;
export const decryptResponse = { plaintext: "bytes" } as const satisfies Shape;
/** What lies in the store behind "k8s:enc:kms:v2:<name>:". */
export const encryptedObject = {
  encryptedData: "bytes",
  keyId: "text",
  encryptedDekSource: "bytes",
  annotations: "annotations",
  encryptedDekSourceType: "number",
} as const satisfies Shape;

const EMPTY: { readonly [kind in FieldKind]: () => unknown } = {
  text: () => "",
  bytes: () => Buffer.alloc(0),
  annotations: () => ({}),
  number: () => 0,
};

/** The message's bytes; what is empty is left out. */
export function encodeMessage<S extends Shape>(shape: S, message: Message<S>): Buffer {
  const parts = Object.entries(shape).flatMap(([field, kind], index) => {
    const value = message[field as keyof S] as ValueOf[FieldKind];
    return fieldBytes(kind, index + 1, value);
  });
  return Buffer.concat(parts);
}

function fieldBytes(kind: FieldKind, number: number, value: ValueOf[FieldKind]): Buffer[] {
  if (kind === "number") return value === 0 ? [] : [varint(number * 8), varint(value as number)];
  if (kind === "annotations") {
    return Object.entries(value as ValueOf["annotations"])
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .flatMap(([key, bytes]) => {
        const entry = [...fieldBytes("text", 1, key), ...fieldBytes("bytes", 2, bytes)];
        return fieldBytes("bytes", number, Buffer.concat(entry));
      });
  }
  const bytes = Buffer.from(value as string | Buffer);
  return bytes.length === 0 ? [] : [varint(number * 8 + 2), varint(bytes.length), bytes];
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Throws on what is no message; fields it does not know are passed over. */
export function decodeMessage<S extends Shape>(shape: S, bytes: Buffer): Message<S> {
  const fields = Object.entries(shape);
  const message: { [field: string]: unknown } = Object.fromEntries(fields.map(([name, kind]) => [name, EMPTY[kind]()]));
  for (const wire of wireFields(bytes)) {
    const [name, kind] = fields[wire.number - 1] ?? [];
    if (name === undefined) continue;
    if (kind === "number") message[name] = Number(wire.varint ?? 0n);
    else if (kind === "annotations") Object.assign(message[name] as object, annotationOf(wire.bytes));
    else message[name] = kind === "text" ? (wire.bytes?.toString() ?? "") : (wire.bytes ?? Buffer.alloc(0));
  }
  return message as Message<S>;
}

function annotationOf(entry: Buffer | undefined): { [key: string]: Buffer } {
  let key = "";
  let value: Buffer = Buffer.alloc(0);
  for (const wire of wireFields(entry ?? value)) {
    if (wire.number === 1) key = wire.bytes?.toString() ?? "";
    if (wire.number === 2) value = wire.bytes ?? value;
  }
  return Object.fromEntries([[key, value]]);
}
