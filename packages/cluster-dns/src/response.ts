// Turns records into a response's bytes. Each record is encoded once, in such a way that it can stand at any place of any
// response to its question: owners point into the question and nowhere else. So answers can be kept as bytes, shuffled
// and cut. Data of records are dns-packet's work.

import packet from "dns-packet";
import type { DnsRecord } from "./dns-record.js";
import { headerBytes, type Query, rcodes } from "./query.js";
import { typeNumber } from "./record-types.js";

/** What a response carries, as bytes. */
export interface ResponseBody {
  readonly rcode: number;
  readonly answers: readonly Buffer[];
  readonly authorities: readonly Buffer[];
  readonly additionals: readonly Buffer[];
  /** So many answers keep their place (CNAMEs come first); the others go out in any order, so that clients that take the
   *  first do not all take the same. */
  readonly inPlace: number;
}

/** The most we send over UDP, whatever the client takes: what no path cuts into fragments (DNS flag day 2020). */
export const maxUdpBytes = 1232;
const maxTcpBytes = 65_535;
const minUdpBytes = 512;
export const optBytes = 11;

/** A response without records: for errors found before, or instead of, looking anything up. */
export const emptyBody = (rcode: number): ResponseBody => ({
  rcode,
  answers: [],
  authorities: [],
  additionals: [],
  inPlace: 0,
});

// dns-packet has them, its types do not say so.
const codecs = packet as unknown as { record(type: string): { encode(data: unknown): Buffer } };

/** One record, fit for any response to this question. name: the question's, in lower case. */
export function encodeRecord(record: DnsRecord, question: { readonly name: string; readonly bytes: number }): Buffer {
  const owner = encodeOwner(record.name, question);
  const data = codecs.record(record.type).encode(record.data);
  const fixed = Buffer.alloc(8);
  fixed.writeUInt16BE(typeNumber(record.type), 0);
  fixed.writeUInt16BE(1, 2);
  fixed.writeUInt32BE(record.ttl, 4);
  return Buffer.concat([owner, fixed, data]);
}

// The labels that the question does not end in, then a pointer to where it does.
function encodeOwner(name: string, question: { readonly name: string; readonly bytes: number }): Buffer {
  const labels = name.split(".");
  const own: Buffer[] = [];
  for (let i = 0; i <= labels.length; i++) {
    const rest = labels.slice(i).join(".");
    if (rest === "") {
      own.push(Buffer.from([0]));
      break;
    }
    if (question.name === rest || question.name.endsWith(`.${rest}`)) {
      // Counted from the end: labels before it may be written longer than they are.
      const nameBytes = question.bytes - 4;
      const pointer = Buffer.alloc(2);
      pointer.writeUInt16BE(0xc000 | (headerBytes + nameBytes - (rest.length + 2)));
      own.push(pointer);
      break;
    }
    const label = Buffer.from(labels[i]!, "latin1");
    own.push(Buffer.from([label.length]), label);
  }
  return Buffer.concat(own);
}

/** How many bytes the client takes. */
export function roomFor({ edns }: Query, transport: "udp" | "tcp"): number {
  if (transport === "tcp") return maxTcpBytes;
  return edns ? Math.min(maxUdpBytes, Math.max(minUdpBytes, edns.udpBytes)) : minUdpBytes;
}

export interface EncodeOptions {
  readonly query: Query;
  readonly body: ResponseBody;
  readonly maxBytes: number;
  readonly authoritative: boolean;
}

/** The response's bytes. What does not fit is left out, record by record; TC says so when it is an answer (upstream:
 *  dns.Msg.Truncate): some resolvers never ask again over TCP and live on what they got. */
export function encodeResponse({ query, body, maxBytes, authoritative }: EncodeOptions): Buffer {
  const room = maxBytes - headerBytes - query.question.length - (query.edns ? optBytes : 0);
  const answers = body.answers.length - body.inPlace > 1 ? shuffled(body.answers, body.inPlace) : body.answers;
  const sections = [answers, body.authorities, body.additionals];
  const counts = [0, 0, 0];
  let used = 0;
  fill: for (let section = 0; section < sections.length; section++)
    for (const record of sections[section]!) {
      if (used + record.length > room) break fill;
      used += record.length;
      counts[section]!++;
    }
  const size = headerBytes + query.question.length + used + (query.edns ? optBytes : 0);
  const response = Buffer.allocUnsafe(size);
  response[0] = query.id >> 8;
  response[1] = query.id & 255;
  response[2] =
    0x80 | (authoritative ? 0x04 : 0) | (counts[0]! < answers.length ? 0x02 : 0) | (query.recursionDesired ? 0x01 : 0);
  response[3] = 0x80 | (query.checkingDisabled ? 0x10 : 0) | (body.rcode & 15);
  response.writeUInt16BE(1, 4);
  response.writeUInt16BE(counts[0]!, 6);
  response.writeUInt16BE(counts[1]!, 8);
  response.writeUInt16BE(counts[2]! + (query.edns ? 1 : 0), 10);
  query.question.copy(response, headerBytes);
  let offset = headerBytes + query.question.length;
  for (let section = 0; section < sections.length; section++)
    for (let i = 0; i < counts[section]!; i++) offset += sections[section]![i]!.copy(response, offset);
  if (query.edns) writeOpt(response, { offset, rcode: body.rcode, dnssecOk: query.edns.dnssecOk });
  return response;
}

/** Our OPT record; the upper bits of the rcode stand in it. Takes optBytes. */
export function writeOpt(
  response: Buffer,
  { offset, rcode, dnssecOk }: { offset: number; rcode: number; dnssecOk: boolean },
): void {
  response.fill(0, offset, offset + optBytes);
  response[offset + 2] = 41;
  response.writeUInt16BE(maxUdpBytes, offset + 3);
  response[offset + 5] = rcode >> 4;
  if (dnssecOk) response[offset + 7] = 0x80;
}

/** The answer to what could not be read as a query: its header, with the error. */
export function encodeError(message: Buffer, rcode: number): Buffer {
  const response = Buffer.alloc(headerBytes);
  message.copy(response, 0, 0, 2);
  const opcode = rcode === rcodes.notImplemented ? message[2]! & 0x78 : 0;
  response[2] = 0x80 | opcode | (message[2]! & 0x01);
  response[3] = rcode;
  return response;
}

function shuffled<T>(items: readonly T[], inPlace: number): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > inPlace; i--) {
    const j = inPlace + Math.floor(Math.random() * (i + 1 - inPlace));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
