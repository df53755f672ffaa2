// Protobuf's wire format, as much of it as messages of strings, booleans and messages need. Fields are handed over in
// ascending order of number by the caller; an absent value writes nothing.

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}

function lengthDelimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([...varint((field << 3) | 2), ...varint(bytes.length)]), bytes]);
}

/** A string; "" and undefined write nothing. */
export function stringField(field: number, value: unknown): Buffer[] {
  return typeof value === "string" && value !== "" ? [lengthDelimited(field, Buffer.from(value))] : [];
}

/** Each string of the list. */
export function stringFields(field: number, values: unknown): Buffer[] {
  return Array.isArray(values) ? values.map((value: string) => lengthDelimited(field, Buffer.from(value))) : [];
}

/** A boolean; false and undefined write nothing. */
export function boolField(field: number, value: unknown): Buffer[] {
  return value === true ? [Buffer.from([...varint(field << 3), 1])] : [];
}

/** A message out of its parts; undefined writes nothing, an empty list an empty message. */
export function messageField(field: number, parts: readonly Buffer[] | undefined): Buffer[] {
  return parts ? [lengthDelimited(field, Buffer.concat(parts))] : [];
}
