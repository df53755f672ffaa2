// The sockets of the DNS server: UDP, and TCP's listener. What a query means is the responder's affair.

import { createSocket, type RemoteInfo } from "node:dgram";
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

export interface AnswerFacts {
  readonly outcome: QueryOutcome;
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

  function failed(error: unknown): undefined {
    logger.error("Failed to answer a query", { err: error });
  }

  // At once for what is in memory, later for what is forwarded, and undefined for what is no query; never throws.
  function outcomeOf(message: Buffer, transport: "udp" | "tcp"): ReturnType<Responder["respond"]> {
    try {
      return underWay < maxUnderWay ? responder.respond(message, transport) : undefined;
    } catch (error) {
      return failed(error);
    }
  }

  function whenKnown(outcome: Promise<QueryOutcome>, send: (outcome: QueryOutcome | undefined) => void): void {
    underWay++;
    outcome
      .catch(failed)
      .finally(() => underWay--)
      .then(send, failed);
  }

  function count(
    outcome: QueryOutcome,
    { transport, message, startedMs }: { transport: "udp" | "tcp"; message: Buffer; startedMs: number },
  ): void {
    const durationMs = performance.now() - startedMs;
    onAnswer?.({ outcome, transport, isIpv6, requestBytes: message.length, durationMs });
  }

  function answerTcp(message: Buffer, send: (response: Buffer | undefined) => void): void {
    const startedMs = performance.now();
    const finish = (outcome: QueryOutcome | undefined) => {
      send(outcome?.response);
      if (outcome) count(outcome, { transport: "tcp", message, startedMs });
    };
    const outcome = outcomeOf(message, "tcp");
    if (outcome instanceof Promise) whenKnown(outcome, finish);
    else finish(outcome);
  }

  const sockets = new Set<Socket>();
  const tcp = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serveConnection(socket, {
      idleTimeoutMs: options.idleTimeoutMs ?? defaultIdleTimeoutMs,
      answer: answerTcp,
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
  function sendUdp(
    outcome: QueryOutcome,
    message: Buffer,
    { from, startedMs }: { from: RemoteInfo; startedMs: number },
  ) {
    // Without a callback: whoever did not get it asks again.
    udp.send(outcome.response, from.port, from.address);
    count(outcome, { transport: "udp", message, startedMs });
  }
  udp.on("message", (message, from) => {
    const startedMs = performance.now();
    const outcome = outcomeOf(message, "udp");
    if (outcome instanceof Promise)
      whenKnown(outcome, (known) => known && sendUdp(known, message, { from, startedMs }));
    else if (outcome) sendUdp(outcome, message, { from, startedMs });
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
