// Names that are not the cluster's: asked of the resolvers that know their domain, and the answers kept for as long as they
// may be kept. Knows no records of the cluster.

import { randomInt } from "node:crypto";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import packet from "dns-packet";
import { LRUCache } from "lru-cache";
import type { DnsRecord } from "./dns-record.js";
import type { Resolver } from "./exchange.js";
import { createLoopDetector } from "./loop-detector.js";
import { headerBytes, type Query, rcodes } from "./query.js";
import { maxUdpBytes, optBytes, writeOpt } from "./response.js";
import {
  isDenial,
  keepSeconds,
  readUpstreamResponse,
  renderUpstreamResponse,
  type UpstreamResponse,
} from "./upstream-response.js";
import { createUpstreams, type UpstreamEvents, type Upstreams } from "./upstreams.js";

/** Why a name could not be forwarded, and what the client is told of it. */
export class ForwardError extends Error {
  readonly rcode: number;

  constructor(rcode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.rcode = rcode;
  }
}

export interface Forwarded {
  readonly response: Buffer;
  readonly rcode: number;
}

export interface Forwarder {
  /** The answer for this client, at once when it is kept; rejects with a ForwardError, never throws. */
  forward(query: Query, maxBytes: number): Forwarded | Promise<Forwarded>;
  /** What addresses a name outside the cluster has, and the CNAMEs on the way. */
  lookup(name: string, type: number): Promise<{ rcode: number; answers: DnsRecord[] }>;
  /** Asks each resolver whether it leads back to this server; resolves when all have answered or not. */
  detectLoops(): Promise<void>;
  /** Answers that are kept. */
  size(): { success: number; denial: number };
  close(): void;
}

/** Whoever counts. */
export interface ForwardEvents extends UpstreamEvents {
  onCache?(result: "success" | "denial" | "miss"): void;
  /** Too many questions are under way. */
  onReject?(): void;
}

export interface ForwarderOptions {
  /** By domain, "." for all that no other knows. */
  readonly domains: Readonly<Record<string, readonly Resolver[]>>;
  readonly timeoutMs: number;
  readonly totalMs: number;
  readonly healthCheckMs: number;
  /** The most that an answer is kept, whatever it says. */
  readonly maxCacheSeconds: number;
  readonly maxConcurrent: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events?: ForwardEvents;
}

interface Kept {
  readonly response: UpstreamResponse;
  readonly storedMs: number;
  readonly forSeconds: number;
}

const minCacheSeconds = 5;
const maxKept = 9_984;
const maxKeptBytes = 16 << 20;

export function createForwarder(options: ForwarderOptions): Forwarder {
  const { domains, maxCacheSeconds, maxConcurrent, clock, logger, events } = options;
  const upstreams = new Map(
    Object.entries(domains).map(([domain, resolvers]) => [domain, createUpstreams({ ...options, resolvers })]),
  );
  const loops = createLoopDetector({ upstreams: [...upstreams.values()], logger, timeoutMs: options.timeoutMs });
  const cacheOptions = { max: maxKept, maxSize: maxKeptBytes, sizeCalculation: sizeOf };
  const caches = {
    success: new LRUCache<string, Kept>(cacheOptions),
    denial: new LRUCache<string, Kept>(cacheOptions),
  };
  const underWay = new Map<string, Promise<Kept>>();

  // The longest domain that the name lies in.
  function upstreamsOf(name: string): Upstreams | undefined {
    for (let rest = name; rest !== ""; ) {
      const known = upstreams.get(rest);
      if (known) return known;
      const dot = rest.indexOf(".");
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    return upstreams.get(".");
  }

  function fromCache(key: string): Kept | undefined {
    for (const type of ["success", "denial"] as const) {
      const kept = caches[type].get(key);
      if (!kept || ageSeconds(kept) >= kept.forSeconds) continue;
      events?.onCache?.(type);
      return kept;
    }
    events?.onCache?.("miss");
    return undefined;
  }

  function ageSeconds({ storedMs }: Kept): number {
    return Math.floor((clock.now() - storedMs) / 1000);
  }

  async function ask(key: string, query: Query): Promise<Kept> {
    if (underWay.size >= maxConcurrent) {
      events?.onReject?.();
      throw new ForwardError(rcodes.refused, `${underWay.size} questions are under way`);
    }
    const chosen = upstreamsOf(query.name);
    if (!chosen) throw new ForwardError(rcodes.refused, "there is no resolver for this name");
    const message = await chosen.ask(encodeQuery(query)).catch((error: Error) => {
      throw new ForwardError(rcodes.serverFailure, error.message, { cause: error });
    });
    const response = readUpstreamResponse(message);
    if (!response) throw new ForwardError(rcodes.serverFailure, "a resolver's answer could not be read");
    const seconds = keepSeconds(response);
    const forSeconds = Math.min(Math.max(seconds ?? 0, minCacheSeconds), maxCacheSeconds);
    const kept = { response, storedMs: clock.now(), forSeconds };
    if (seconds !== undefined && forSeconds > 0) caches[isDenial(response) ? "denial" : "success"].set(key, kept);
    return kept;
  }

  function find(query: Query): Kept | Promise<Kept> {
    if (loops.isProbe(query))
      return Promise.reject(new ForwardError(rcodes.serverFailure, "a question of our own came back"));
    const { name, type, edns, checkingDisabled } = query;
    const key = `${type} ${edns?.dnssecOk ? "d" : ""}${checkingDisabled ? "c" : ""} ${name}`;
    const kept = fromCache(key);
    if (kept) return kept;
    let pending = underWay.get(key);
    if (!pending) {
      pending = ask(key, query);
      underWay.set(key, pending);
      const forget = () => void underWay.delete(key);
      pending.then(forget, forget);
    }
    return pending;
  }

  function render(kept: Kept, { query, maxBytes }: { query: Query; maxBytes: number }): Forwarded {
    const age = ageSeconds(kept);
    const maxTtl = kept.forSeconds - age;
    const response = renderUpstreamResponse(kept.response, { query, maxBytes, ageSeconds: age, maxTtl });
    return { response, rcode: kept.response.rcode };
  }

  return {
    forward(query, maxBytes) {
      const found = find(query);
      if (found instanceof Promise) return found.then((kept) => render(kept, { query, maxBytes }));
      return render(found, { query, maxBytes });
    },

    async lookup(name, type) {
      const question = encodeQuestion(name, type);
      const query = { id: 0, recursionDesired: true, checkingDisabled: false, name, type, class: 1, question };
      const { response, rcode } = await this.forward({ ...query, edns: undefined }, 65_535);
      const answers = (packet.decode(response).answers ?? []) as DnsRecord[];
      return { rcode, answers: answers.filter((one) => ["A", "AAAA", "CNAME"].includes(one.type)) };
    },

    detectLoops: () => loops.probe(),
    size: () => ({ success: caches.success.size, denial: caches.denial.size }),
    close() {
      for (const one of upstreams.values()) one.close();
    },
  };
}

function sizeOf({ response }: Kept): number {
  return response.message.length + 64 * response.records.length;
}

function encodeQuestion(name: string, type: number): Buffer {
  const labels = name === "" ? [] : name.split(".");
  const parts = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "latin1")]);
  return Buffer.concat([...parts, Buffer.from([0, type >> 8, type & 255, 0, 1])]);
}

/** A question of our own with this query's question: OPT is its last record. */
export function encodeQuery({ question, checkingDisabled, edns }: Query): Buffer {
  const end = headerBytes + question.length;
  const message = Buffer.alloc(end + optBytes);
  message.writeUInt16BE(randomInt(65_536), 0);
  message[2] = 0x01;
  message[3] = checkingDisabled ? 0x10 : 0;
  message[5] = 1;
  message[11] = 1;
  question.copy(message, headerBytes);
  writeOpt(message, { offset: end, rcode: 0, dnssecOk: edns?.dnssecOk ?? false });
  message.writeUInt16BE(maxUdpBytes, end + 3);
  return message;
}
