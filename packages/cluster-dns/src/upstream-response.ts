// A resolver's answer as bytes that can be given to any client who asks the same: its records found, its OPT taken out,
// its TTLs counted down. Asks nobody.

import packet from "dns-packet";
import { headerBytes, type Query, rcodes, skipName } from "./query.js";
import { typeNumber } from "./record-types.js";
import { optBytes, writeOpt } from "./response.js";

export interface UpstreamResponse {
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly records: readonly RecordPlace[];
  readonly rcode: number;
}

interface RecordPlace {
  readonly section: 0 | 1 | 2;
  readonly type: number;
  readonly ttl: number;
  readonly ttlOffset: number;
  readonly end: number;
}

const typeOpt = 41;
const soa = typeNumber("SOA");

/** undefined: these bytes are no response that could be passed on. */
export function readUpstreamResponse(message: Buffer): UpstreamResponse | undefined {
  if (message.length < headerBytes || message.readUInt16BE(4) !== 1) return undefined;
  const questionEnd = skipName(message, headerBytes) + 4;
  if (questionEnd < headerBytes + 5 || questionEnd > message.length) return undefined;
  const counts = [message.readUInt16BE(6), message.readUInt16BE(8), message.readUInt16BE(10)];
  const records: RecordPlace[] = [];
  let offset = questionEnd;
  let extendedRcode = 0;
  for (const section of [0, 1, 2] as const)
    for (let i = 0; i < counts[section]!; i++) {
      const fixed = skipName(message, offset);
      if (fixed < 0 || fixed + 10 > message.length) return undefined;
      const end = fixed + 10 + message.readUInt16BE(fixed + 8);
      if (end > message.length) return undefined;
      const type = message.readUInt16BE(fixed);
      if (type === typeOpt) {
        // Names behind it point where they point: only the last record can be cut off.
        if (section !== 2 || i !== counts[2]! - 1) return withoutOpt(message);
        extendedRcode = message[fixed + 4]! << 4;
      } else {
        // More than 31 bits mean zero (RFC 2181, 8).
        const ttl = message.readUInt32BE(fixed + 4);
        records.push({ section, type, ttl: ttl > 0x7fff_ffff ? 0 : ttl, ttlOffset: fixed + 4, end });
      }
      offset = end;
    }
  return { message, questionEnd, records, rcode: extendedRcode | (message[3]! & 15) };
}

function withoutOpt(message: Buffer): UpstreamResponse | undefined {
  try {
    const decoded = packet.decode(message);
    const additionals = (decoded.additionals ?? []).filter(({ type }) => type !== "OPT");
    return readUpstreamResponse(packet.encode({ ...decoded, additionals } as packet.Packet));
  } catch {
    return undefined;
  }
}

/** Seconds that the answer may be kept, before any bound of ours; undefined when not at all (upstream: Typify, minMsgTTL). */
export function keepSeconds({ message, records, rcode }: UpstreamResponse): number | undefined {
  if ((message[2]! & 0x02) !== 0) return undefined;
  if (rcode === rcodes.serverFailure) return servfailSeconds;
  if (rcode !== rcodes.noError && rcode !== rcodes.nameError) return undefined;
  const authority = records.find(({ section, type }) => section === 1 && type === soa);
  const isDenial = rcode === rcodes.nameError || !records.some(({ section }) => section === 0);
  if (isDenial && !authority) return undefined;
  const ttls = records.map(({ ttl }) => ttl);
  // The last number of an SOA is how long a denial holds (RFC 2308).
  if (isDenial) ttls.push(message.readUInt32BE(authority!.end - 4));
  return Math.min(...ttls);
}

const servfailSeconds = 5;

/** Whether the answer says that there is nothing. */
export function isDenial({ records, rcode }: UpstreamResponse): boolean {
  return rcode !== rcodes.noError || !records.some(({ section }) => section === 0);
}

export interface RenderOptions {
  readonly query: Query;
  readonly maxBytes: number;
  /** Seconds since the answer came; and the most that a client may keep it from now. */
  readonly ageSeconds: number;
  readonly maxTtl: number;
}

/** The answer for this client: its id, its spelling of the name, its size. */
export function renderUpstreamResponse(
  { message, questionEnd, records, rcode }: UpstreamResponse,
  { query, maxBytes, ageSeconds, maxTtl }: RenderOptions,
): Buffer {
  const room = maxBytes - (query.edns ? optBytes : 0);
  const counts = [0, 0, 0];
  let used = questionEnd;
  let isCut = false;
  for (const { section, end } of records) {
    if (end > room) {
      isCut = section === 0;
      break;
    }
    used = end;
    counts[section]!++;
  }
  const response = Buffer.allocUnsafe(used + (query.edns ? optBytes : 0));
  message.copy(response, 0, 0, used);
  response.writeUInt16BE(query.id, 0);
  response[2] = 0x80 | (isCut ? 0x02 : 0) | (query.recursionDesired ? 0x01 : 0);
  // Whether the resolver checked signatures is for those to know who asked about it.
  const authentic = query.edns?.dnssecOk ? message[3]! & 0x20 : 0;
  response[3] = 0x80 | authentic | (query.checkingDisabled ? 0x10 : 0) | (rcode & 15);
  for (let section = 0; section < 3; section++) response.writeUInt16BE(counts[section]!, 6 + 2 * section);
  query.question.copy(response, headerBytes);
  for (const { ttl, ttlOffset, end } of records) {
    if (end > used) break;
    response.writeUInt32BE(Math.max(0, Math.min(ttl - ageSeconds, maxTtl)), ttlOffset);
  }
  if (query.edns) {
    response.writeUInt16BE(counts[2]! + 1, 10);
    writeOpt(response, { offset: used, rcode, dnssecOk: query.edns.dnssecOk });
  }
  return response;
}
