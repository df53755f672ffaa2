// Reads a query's bytes: header, the one question, EDNS. Strict, as upstream's library is about what it lets in (miekg/dns,
// DefaultMsgAcceptFunc); answers nothing. Written by hand, and not with dns-packet, because it runs for each datagram.

export const rcodes = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

export interface Query {
  readonly id: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** In lower case, without the last dot, "" for the root; a dot inside a label is \\046, a backslash \\092. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** The question section as it came, with the client's upper and lower case. */
  readonly question: Buffer;
  /** Undefined: the client speaks no EDNS. */
  readonly edns: Edns | undefined;
}

export interface Edns {
  /** What the client says it can take over UDP. */
  readonly udpBytes: number;
  readonly version: number;
  readonly dnssecOk: boolean;
}

/** A query; or the error to answer with; or undefined for what deserves no answer (no header, or a response). */
export type ReadQuery = { readonly query: Query } | { readonly rcode: number } | undefined;

export const headerBytes = 12;
const typeOpt = 41;
const maxNameBytes = 255;
const formatError = { rcode: rcodes.formatError } as const;

/** Never throws, whatever the bytes. */
export function readQuery(message: Buffer): ReadQuery {
  if (message.length < headerBytes || (message[2]! & 0x80) !== 0) return undefined;
  if ((message[2]! & 0x78) !== 0) return { rcode: rcodes.notImplemented };
  const additionals = message.readUInt16BE(10);
  if (message.readUInt16BE(4) !== 1 || message.readUInt16BE(6) > 1 || message.readUInt16BE(8) > 1 || additionals > 2)
    return formatError;
  const name = readName(message);
  if (!name || name.end + 4 > message.length) return formatError;
  const questionEnd = name.end + 4;

  let edns: Edns | undefined;
  let offset = questionEnd;
  const others = message.readUInt16BE(6) + message.readUInt16BE(8);
  for (let i = 0; i < others + additionals; i++) {
    const owner = offset;
    offset = skipName(message, offset);
    if (offset < 0 || offset + 10 > message.length) return formatError;
    const end = offset + 10 + message.readUInt16BE(offset + 8);
    if (end > message.length) return formatError;
    if (i >= others && message.readUInt16BE(offset) === typeOpt) {
      // One at most, owned by the root (RFC 6891, 6.1.1).
      if (edns || message[owner] !== 0) return formatError;
      edns = {
        udpBytes: message.readUInt16BE(offset + 2),
        version: message[offset + 5]!,
        dnssecOk: (message[offset + 6]! & 0x80) !== 0,
      };
    }
    offset = end;
  }
  return {
    query: {
      id: message.readUInt16BE(0),
      recursionDesired: (message[2]! & 0x01) !== 0,
      checkingDisabled: (message[3]! & 0x10) !== 0,
      name: name.text,
      type: message.readUInt16BE(name.end),
      class: message.readUInt16BE(name.end + 2),
      question: message.subarray(headerBytes, questionEnd),
      edns,
    },
  };
}

const scratch = Buffer.alloc(4 * maxNameBytes);
const dot = 0x2e;
const backslash = 0x5c;

// The question's name comes first, so nothing stands before it that a pointer could mean.
function readName(message: Buffer): { text: string; end: number } | undefined {
  let offset = headerBytes;
  let length = 0;
  for (;;) {
    const labelBytes = message[offset++];
    if (labelBytes === undefined || labelBytes > 63) return undefined;
    if (labelBytes === 0) break;
    const end = offset + labelBytes;
    if (end >= message.length || end - headerBytes >= maxNameBytes) return undefined;
    if (length > 0) scratch[length++] = dot;
    for (; offset < end; offset++) {
      const byte = message[offset]!;
      if (byte === dot || byte === backslash) length += scratch.write(`\\0${byte}`, length, "latin1");
      else scratch[length++] = byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
    }
  }
  return { text: scratch.toString("latin1", 0, length), end: offset };
}

/** The offset behind a name that may end in a pointer; -1 when it does not end. Follows no pointer, so it cannot loop. */
export function skipName(message: Buffer, start: number): number {
  let offset = start;
  for (;;) {
    const byte = message[offset];
    if (byte === undefined) return -1;
    if (byte === 0) return offset + 1;
    if (byte >= 0xc0) return offset + 2 <= message.length ? offset + 2 : -1;
    if (byte > 63) return -1;
    offset += 1 + byte;
  }
}
