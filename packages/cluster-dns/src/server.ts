// The sockets of the DNS server: UDP, and TCP's listener. What a query means is the responder's affair.

import { createSocket } from "node:dgram";
import { createServer, isIPv6, type Socket } from "node:net";
import type { Logger } from "@picokube/component-base/logger";
import type { QueryOutcome, Responder } from "./responder.js";
import { serveConnection } from "./tcp-connection.js";

const defaultIdleTimeoutMs = 10_000;
const defaultMaxConnections = 500;
const maxUnderWay = 2_000;

export interface DnsServer {
  readonly port: number;
  /** Stops listening; resolves when nothing of it is left. */
  close(): Promise<void>;
}

export interface AnswerFacts extends QueryOutcome {
  readonly transport: "udp" | "tcp";
  readonly isIpv6: boolean;
  readonly requestBytes: number;
  readonly durationMs: number;
}

export interface DnsServerOptions {
  readonly address: string;
  /** 0 takes any port that is free for both UDP and TCP. */
  readonly port: number;
  readonly responder: Responder;
  readonly logger: Logger;
  readonly idleTimeoutMs?: number;
  readonly maxConnections?: number;
  onAnswer?(facts: AnswerFacts): void;
}

/** Resolves once both sockets listen. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const { address, port, responder, logger, onAnswer } = options;
  const isIpv6 = isIPv6(address);
  let underWay = 0;

  // The callback comes at once for what is in memory, later for what is forwarded, and not at all for what is no query.
  function answer(message: Buffer, transport: "udp" | "tcp", send: (response: Buffer | undefined) => void): void {
    const started = performance.now();
    const done = (outcome: QueryOutcome | undefined) => {
      send(outcome?.response);
      if (!outcome || !onAnswer) return;
      const durationMs = performance.now() - started;
      onAnswer({ ...outcome, transport, isIpv6, requestBytes: message.length, durationMs });
    };
    const failed = (error: unknown) => {
      logger.error("Failed to answer a query", { err: error });
      send(undefined);
    };
    try {
      const outcome = underWay < maxUnderWay ? responder.respond(message, transport) : undefined;
      if (outcome instanceof Promise) {
        underWay++;
        outcome.finally(() => underWay--).then(done, failed);
      } else done(outcome);
    } catch (error) {
      failed(error);
    }
  }

  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serveConnection(socket, {
      idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
      answer: (message, send) => answer(message, "tcp", send),
    });
  });
  tcp.maxConnections = options.maxConnections ?? defaultMaxConnections;
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, address, resolve);
  });
  tcp.removeAllListeners("error").on("error", (error) => logger.error("TCP socket failed", { err: error }));
  const bound = (tcp.address() as { port: number }).port;

  const udp = createSocket({
    type: isIpv6 ? "udp6" : "udp4",
    recvBufferSize: 1 << 20,
    // Clients' addresses are addresses already: Node.js would look each one up.
    lookup: (host, _options, callback) => callback(null, host, isIpv6 ? 6 : 4),
  });
  udp.on("message", (message, from) => {
    answer(message, "udp", (response) => {
      // Without a callback: whoever did not get it asks again.
      if (response) udp.send(response, from.port, from.address);
    });
  });
  await new Promise<void>((resolve, reject) => {
    udp.once("error", reject);
    udp.bind(bound, address, resolve);
  }).catch(async (error: unknown) => {
    await new Promise((resolve) => tcp.close(resolve));
    throw error;
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
