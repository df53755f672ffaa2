// One message to one resolver and its answer back, over UDP or TCP. Chooses no resolver and keeps nothing.

import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";
import { headerBytes } from "./query.js";

/** Where a resolver answers. */
export interface Resolver {
  readonly host: string;
  readonly port: number;
}

/** "192.0.2.53", "192.0.2.53:5353", "2001:db8::53" or "[2001:db8::53]:53"; undefined when it is none of these. */
export function parseResolver(text: string): Resolver | undefined {
  if (isIP(text) !== 0) return { host: text, port: 53 };
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  return isIP(host) !== 0 && port > 0 && port < 65_536 ? { host, port } : undefined;
}

/** "192.0.2.53:53", as metrics and logs name it. */
export function resolverName({ host, port }: Resolver): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

export interface ExchangeOptions {
  readonly resolver: Resolver;
  readonly timeoutMs: number;
}

/** Rejects when nothing that answers this very query came in time. */
export function exchangeUdp(query: Buffer, { resolver, timeoutMs }: ExchangeOptions): Promise<Buffer> {
  const { host, port } = resolver;
  return new Promise((resolve, reject) => {
    // Connected, from a port of the kernel's choice: answers of others do not come through, and are hard to make up.
    const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
    const timer = setTimeout(() => finish(late({ resolver, timeoutMs })), timeoutMs);
    let isDone = false;
    function finish(error: Error | undefined, answer?: Buffer): void {
      if (isDone) return;
      isDone = true;
      clearTimeout(timer);
      socket.close();
      if (error) reject(error);
      else resolve(answer!);
    }
    socket.on("message", (message) => {
      if (answers(message, query)) finish(undefined, message);
    });
    socket.on("error", finish);
    socket.connect(port, host, () => socket.send(query));
  });
}

/** As exchangeUdp, for answers that no datagram holds. */
export function exchangeTcp(query: Buffer, { resolver, timeoutMs }: ExchangeOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: resolver.host, port: resolver.port });
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => socket.destroy(late({ resolver, timeoutMs })), timeoutMs);
    socket.once("connect", () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(query.length);
      socket.write(Buffer.concat([length, query]));
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      const all = Buffer.concat(chunks);
      if (all.length < 2 || all.length < 2 + all.readUInt16BE(0)) return;
      const message = all.subarray(2, 2 + all.readUInt16BE(0));
      if (answers(message, query)) resolve(message);
      socket.destroy();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      clearTimeout(timer);
      reject(new Error(`${resolverName(resolver)} closed the connection`));
    });
  });
}

function late({ resolver, timeoutMs }: ExchangeOptions): Error {
  return new Error(`${resolverName(resolver)} did not answer within ${timeoutMs} ms`);
}

// The same id and question, whatever the case of its letters.
function answers(message: Buffer, query: Buffer): boolean {
  if (message.length < headerBytes || (message[2]! & 0x80) === 0) return false;
  if (message[0] !== query[0] || message[1] !== query[1]) return false;
  // Some say no more than that they did not understand.
  if (message.readUInt16BE(4) === 0) return (message[3]! & 15) !== 0;
  let offset = headerBytes;
  for (let end = false; !end; ) {
    const labelBytes = query[offset]!;
    if (message[offset] !== labelBytes) return false;
    end = labelBytes === 0;
    for (const last = offset + labelBytes; offset < last; )
      if (lower(message[++offset]) !== lower(query[offset])) return false;
    offset++;
  }
  return message.length >= offset + 4 && message.compare(query, offset, offset + 4, offset, offset + 4) === 0;
}

function lower(byte: number | undefined): number {
  return byte === undefined ? -1 : byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
