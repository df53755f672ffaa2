// The sockets of the DNS server: UDP, and TCP with length prefixes. What a query means is the responder's affair.

import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import type { Logger } from "@picokube/component-base/logger";
import type { Responder } from "./responder.js";

const idleTimeoutMs = 10_000;
const maxConnections = 500;
const maxUnderWay = 2_000;

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface DnsServerOptions {
  readonly address: string;
  /** 0 takes any port that is free for both UDP and TCP. */
  readonly port: number;
  readonly responder: Responder;
  readonly logger: Logger;
  onAnswer?(facts: { rcode: string; type: string; zone: string; transport: "udp" | "tcp"; durationMs: number }): void;
}

/** Resolves once both sockets listen. */
export async function startDnsServer({
  address,
  port,
  responder,
  logger,
  onAnswer,
}: DnsServerOptions): Promise<DnsServer> {
  let underWay = 0;

  async function answer(query: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    if (underWay >= maxUnderWay) return undefined;
    underWay++;
    const startedMs = performance.now();
    try {
      const { response, rcode, type, zone } = await responder.respond(query, transport);
      if (rcode) onAnswer?.({ rcode, type, zone, transport, durationMs: performance.now() - startedMs });
      return response;
    } catch (error) {
      logger.error("Failed to answer a query", { err: error });
      return undefined;
    } finally {
      underWay--;
    }
  }

  const tcp = createServer((socket) => serveConnection(socket, (query) => answer(query, "tcp")));
  tcp.maxConnections = maxConnections;
  const sockets = new Set<Socket>();
  tcp.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, address, resolve);
  });
  const bound = (tcp.address() as { port: number }).port;

  const udp = createSocket({ type: address.includes(":") ? "udp6" : "udp4", recvBufferSize: 1 << 20 });
  udp.on("message", (query, from) => {
    answer(query, "udp").then(
      (response) => {
        if (response) udp.send(response, from.port, from.address, () => {});
      },
      () => {},
    );
  });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(bound, address, resolve);
  });
  udp.removeAllListeners("error").on("error", (error) => logger.error("UDP socket failed", { err: error }));

  return {
    port: bound,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        udp.close(() => tcp.close(() => resolve()));
      }),
  };
}

function serveConnection(socket: Socket, answer: (query: Buffer) => Promise<Buffer | undefined>): void {
  let received = Buffer.alloc(0);
  socket.setTimeout(idleTimeoutMs, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    while (received.length >= 2) {
      const length = received.readUInt16BE(0);
      if (received.length < 2 + length) return;
      const query = received.subarray(2, 2 + length);
      received = received.subarray(2 + length);
      answer(query).then(
        (response) => {
          if (!response) return socket.destroy();
          const prefix = Buffer.alloc(2);
          prefix.writeUInt16BE(response.length);
          if (socket.writable) socket.write(Buffer.concat([prefix, response]));
        },
        () => socket.destroy(),
      );
    }
  });
}
