// Protobuf's wire format: the fields of a message by number. Knows no message.

/** One field: a varint, or bytes; numbers of fixed width are bytes too. */
export interface Wire {
  readonly number: number;
  readonly varint: bigint | undefined;
  readonly bytes: Buffer | undefined;
}

/** The fields in their order. Throws in the words of Go's protobuf on what is no message. */
export function* wireFields(bytes: Buffer): Generator<Wire> {
  let at = 0;
  const truncated = () => new Error("unexpected EOF");
  function varint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw truncated();
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, result);
    }
    throw new Error("proto: integer overflow");
  }
  function take(length: number): Buffer {
    if (length < 0 || at + length > bytes.length) throw truncated();
    at += length;
    return bytes.subarray(at - length, at);
  }
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >>> 3;
    switch (tag & 7) {
      case 0:
        yield { number, varint: varint(), bytes: undefined };
        break;
      case 1:
        yield { number, varint: undefined, bytes: take(8) };
        break;
      case 2:
        yield { number, varint: undefined, bytes: take(Number(varint())) };
        break;
      case 5:
        yield { number, varint: undefined, bytes: take(4) };
        break;
      default:
        throw new Error(`proto: illegal wireType ${tag & 7}`);
    }
  }
}
