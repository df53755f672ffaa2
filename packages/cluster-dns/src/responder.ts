// One DNS query in, one answer out: ours from the records, everything else forwarded. Knows no sockets.

import type { Logger } from "@picokube/component-base/logger";
import packet from "dns-packet";
import type { Forwarder } from "./forwarder.js";
import type { DnsRecord, Records } from "./records.js";

const maxUdpBytes = 1232;

export interface QueryOutcome {
  /** undefined: say nothing (the packet was no query). */
  readonly response: Buffer | undefined;
  readonly rcode: string;
  readonly type: string;
  readonly zone: "cluster" | "." | "";
}

export interface Responder {
  respond(query: Buffer, transport: "udp" | "tcp"): Promise<QueryOutcome>;
}

interface Question {
  id: number;
  name: string;
  type: string;
  recursionDesired: boolean;
  /** Bytes that the client takes over UDP: 512 without EDNS. */
  udpBytes: number;
  hasEdns: boolean;
  raw: packet.Packet;
}

/** Answers with FORMERR, NOTIMP, SERVFAIL, ... rather than not at all whenever the header can be read. */
export function createResponder({
  records,
  forwarder,
  logger,
  isReady,
}: {
  records: Records;
  forwarder: Forwarder;
  logger: Logger;
  isReady(): boolean;
}): Responder {
  return {
    async respond(query, transport) {
      if (query.length < 12 || (query[2]! & 0x80) !== 0) return { response: undefined, rcode: "", type: "", zone: "" };
      const id = query.readUInt16BE(0);
      const opcode = (query[2]! >> 3) & 15;
      if (opcode !== 0) return { response: header(id, 4), rcode: "NOTIMP", type: "", zone: "" };
      const question = decode(query);
      if (!question) return { response: header(id, 1), rcode: "FORMERR", type: "", zone: "" };
      const { type } = question;

      const answer = records.lookup(question.name.toLowerCase().replace(/\.$/, ""), type);
      if (answer === undefined) {
        try {
          const response = await forwarder.forward(query, transport);
          return { response: fit(response, question, transport), rcode: rcodeOf(response), type, zone: "." };
        } catch (error) {
          logger.v(2).info("Could not forward a query", { name: question.name, type, err: error });
          return { response: encode(question, { rcode: 2 }), rcode: "SERVFAIL", type, zone: "." };
        }
      }
      if (!isReady()) return { response: encode(question, { rcode: 2 }), rcode: "SERVFAIL", type, zone: "cluster" };
      const empty = answer.answers.length === 0;
      const rcode = answer.exists ? 0 : 3;
      const outside = answer.answers.find((record) => record.type === "CNAME");
      const followed =
        outside && type !== "CNAME" && (type === "A" || type === "AAAA")
          ? await follow(outside.data as string, type)
          : [];
      const response = encode(question, {
        rcode,
        authoritative: true,
        // Reordered, so that clients that take the first address spread over all.
        answers: [...shuffled(answer.answers), ...followed],
        authorities: empty ? [records.soa()] : [],
        additionals: answer.additionals,
      });
      return {
        response: fit(response, question, transport),
        rcode: rcode === 0 ? "NOERROR" : "NXDOMAIN",
        type,
        zone: "cluster",
      };
    },
  };

  // An ExternalName inside the cluster is answered from memory, one outside is asked for.
  async function follow(name: string, type: "A" | "AAAA"): Promise<packet.Answer[]> {
    const inside = records.lookup(name.toLowerCase(), type);
    if (inside) return [...inside.answers] as packet.Answer[];
    try {
      const query = packet.encode({
        type: "query",
        id: 1,
        flags: packet.RECURSION_DESIRED,
        questions: [{ type, name }],
      });
      return packet.decode(await forwarder.forward(query, "udp")).answers ?? [];
    } catch (error) {
      logger.v(2).info("Could not follow an ExternalName", { name, err: error });
      return [];
    }
  }
}

function decode(query: Buffer): Question | undefined {
  try {
    const raw = packet.decode(query);
    const [question] = raw.questions ?? [];
    if (!question || raw.questions!.length !== 1) return undefined;
    const edns = raw.additionals?.find((record) => record.type === "OPT") as { udpPayloadSize?: number } | undefined;
    return {
      id: raw.id ?? 0,
      name: question.name,
      type: question.type,
      recursionDesired: ((raw.flags ?? 0) & packet.RECURSION_DESIRED) !== 0,
      udpBytes: edns ? Math.min(maxUdpBytes, Math.max(512, edns.udpPayloadSize ?? 512)) : 512,
      hasEdns: edns !== undefined,
      raw,
    };
  } catch {
    return undefined;
  }
}

interface Sections {
  rcode: number;
  authoritative?: boolean;
  truncated?: boolean;
  answers?: readonly (DnsRecord | packet.Answer)[];
  authorities?: readonly DnsRecord[];
  additionals?: readonly DnsRecord[];
}

function encode(question: Question, sections: Sections): Buffer {
  const edns = question.hasEdns
    ? [
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: maxUdpBytes,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ]
    : [];
  return packet.encode({
    type: "response",
    id: question.id,
    flags:
      sections.rcode |
      (sections.authoritative ? packet.AUTHORITATIVE_ANSWER : 0) |
      (sections.truncated ? packet.TRUNCATED_RESPONSE : 0) |
      (question.recursionDesired ? packet.RECURSION_DESIRED : 0) |
      packet.RECURSION_AVAILABLE,
    questions: question.raw.questions,
    answers: [...(sections.answers ?? [])],
    authorities: [...(sections.authorities ?? [])],
    additionals: [...(sections.additionals ?? []), ...edns],
  } as packet.Packet);
}

// Too large for the client's datagram: an empty answer that says "ask again over TCP".
function fit(response: Buffer, question: Question, transport: "udp" | "tcp"): Buffer {
  if (transport === "tcp" || response.length <= question.udpBytes) return response;
  return encode(question, { rcode: response[3]! & 15, truncated: true });
}

function header(id: number, rcode: number): Buffer {
  const buffer = Buffer.alloc(12);
  buffer.writeUInt16BE(id, 0);
  buffer.writeUInt16BE(0x8000 | rcode, 2);
  return buffer;
}

function rcodeOf(response: Buffer): string {
  return ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"][response[3]! & 15] ?? "OTHER";
}

function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}
