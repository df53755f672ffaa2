// Reads protobuf messages without their declaration, for tests of what we write: fields by number. Knows lengths and
// varints, which is all that OpenAPI's documents need.

export interface WireField {
  readonly number: number;
  /** Of length-delimited fields; empty for numbers. */
  readonly bytes: Buffer;
  readonly varint: bigint;
}

/** The fields in their order; throws on what is no message. */
export function readMessage(message: Buffer): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (at >= message.length || shift > 63n) throw new Error("a varint that does not end");
      const byte = message[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    if ((tag & 7) === 0) fields.push({ number, bytes: Buffer.alloc(0), varint: varint() });
    else if ((tag & 7) === 2) {
      const length = Number(varint());
      if (at + length > message.length) throw new Error(`field ${number} is longer than its message`);
      fields.push({ number, bytes: message.subarray(at, at + length), varint: 0n });
      at += length;
    } else throw new Error(`field ${number} has wire type ${tag & 7}`);
  }
  return fields;
}

/** All the field's values as messages or text. */
export function valuesOf(message: Buffer, number: number): Buffer[] {
  return readMessage(message)
    .filter((field) => field.number === number)
    .map(({ bytes }) => bytes);
}

/** The text of a field that stands once; "" without it. */
export function textOf(message: Buffer, number: number): string {
  return valuesOf(message, number)[0]?.toString() ?? "";
}
