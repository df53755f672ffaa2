// Sends queries on to the node's own resolvers and keeps the answers for as long as they may be kept. Parses no names.

import { createSocket } from "node:dgram";
import { connect } from "node:net";
import packet from "dns-packet";
import { LRUCache } from "lru-cache";

export interface Forwarder {
  /** The upstream's answer with the query's id; rejects when none of the resolvers answered. */
  forward(query: Buffer, transport: "udp" | "tcp"): Promise<Buffer>;
}

export interface ForwarderOptions {
  /** "192.0.2.53" or "192.0.2.53:5353", tried in order. */
  readonly resolvers: readonly string[];
  readonly timeoutMs: number;
  /** Longest time an answer, and an answer without records, is kept. */
  readonly maxCacheMs: number;
  readonly maxNegativeCacheMs: number;
  now(): number;
}

export function createForwarder({
  resolvers,
  timeoutMs,
  maxCacheMs,
  maxNegativeCacheMs,
  now,
}: ForwarderOptions): Forwarder {
  const cache = new LRUCache<string, { response: Buffer; storedMs: number; ttlMs: number }>({ max: 5_000 });
  const underWay = new Map<string, Promise<Buffer>>();

  async function ask(query: Buffer, transport: "udp" | "tcp"): Promise<Buffer> {
    let last: unknown = new Error("no resolvers are configured");
    for (const resolver of resolvers) {
      try {
        const answer =
          transport === "udp" ? await overUdp(query, resolver, timeoutMs) : await overTcp(query, resolver, timeoutMs);
        const truncated = (answer[2]! & 0x02) !== 0;
        return truncated && transport === "udp" ? await overTcp(query, resolver, timeoutMs) : answer;
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  return {
    async forward(query, transport) {
      // Everything behind the id says what is asked, and how.
      const key = query.subarray(2).toString("latin1");
      const kept = cache.get(key);
      if (kept && now() - kept.storedMs < kept.ttlMs) return withId(kept.response, query);
      let pending = underWay.get(key);
      if (!pending) {
        pending = ask(query, transport).finally(() => underWay.delete(key));
        underWay.set(key, pending);
      }
      const response = await pending;
      const ttlMs = keepMs(response, maxCacheMs, maxNegativeCacheMs);
      if (ttlMs > 0) cache.set(key, { response, storedMs: now(), ttlMs });
      return withId(response, query);
    },
  };
}

/** The nameservers of a resolv.conf's text. */
export function resolversOf(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address]) => address!);
}

function withId(response: Buffer, query: Buffer): Buffer {
  const copy = Buffer.from(response);
  query.copy(copy, 0, 0, 2);
  return copy;
}

function keepMs(response: Buffer, maxMs: number, maxNegativeMs: number): number {
  try {
    const { answers = [], authorities = [], flags = 0 } = packet.decode(response);
    const rcode = flags & 15;
    if (rcode !== 0 && rcode !== 3) return 0;
    const records = (answers.length > 0 ? answers : authorities) as { ttl?: number }[];
    const ttlMs = Math.min(...records.map(({ ttl }) => (ttl ?? 0) * 1000), answers.length > 0 ? maxMs : maxNegativeMs);
    return records.length > 0 ? ttlMs : 0;
  } catch {
    return 0;
  }
}

function split(resolver: string): { host: string; port: number } {
  const match = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(resolver);
  return match ? { host: match[1] ?? match[2]!, port: Number(match[3] ?? 53) } : { host: resolver, port: 53 };
}

function overUdp(query: Buffer, resolver: string, timeoutMs: number): Promise<Buffer> {
  const { host, port } = split(resolver);
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(new Error(`${resolver} did not answer within ${timeoutMs} ms`)), timeoutMs);
    function finish(error: Error | undefined, answer?: Buffer): void {
      clearTimeout(timer);
      socket.close();
      if (error) reject(error);
      else resolve(answer!);
    }
    socket.on("message", (message) => {
      // Only the answer to this very query counts: same id and a response.
      if (message.length >= 12 && message.readUInt16BE(0) === query.readUInt16BE(0) && (message[2]! & 0x80) !== 0)
        finish(undefined, message);
    });
    socket.once("error", (error) => finish(error));
    socket.connect(port, host, () => socket.send(query));
  });
}

function overTcp(query: Buffer, resolver: string, timeoutMs: number): Promise<Buffer> {
  const { host, port } = split(resolver);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const chunks: Buffer[] = [];
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`${resolver} did not answer within ${timeoutMs} ms`)));
    socket.once("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      resolve(all.subarray(2, 2 + all.readUInt16BE(0)));
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`${resolver} closed the connection`)));
  });
}
