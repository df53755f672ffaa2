// The HTTPS server: every request goes through one chain, from the request line to a handler. Errors become a Status in
// one place. Decides nothing itself.

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { badRequest, timeout } from "@picokube/api/errors";
import type { Logger } from "@picokube/component-base/logger";
import type { ServingTls } from "@picokube/component-base/tls-options";
import { fastify } from "fastify";
import type { AuditTrail } from "../audit/audit-trail.js";
import type { Audit } from "../audit/create-audit.js";
import type { Attributes } from "../authz/authorizer.js";
import { attributesOf } from "../authz/request-attributes.js";
import { createExchange, type Exchange, sendBusy, sendError, statusOf } from "../handlers/exchange.js";
import { endLingering } from "../handlers/lingering-close.js";
import { type RequestInfo, requestInfoOf } from "../request/request-info.js";
import { type Access, identify, permit } from "./access.js";
import { AuditedResponse } from "./audited-response.js";
import { createDeadlines, type Deadlines } from "./deadlines.js";
import { type InFlight, isLongRunning } from "./in-flight.js";

const KEEP_ALIVE_MS = 180_000;
/** A handshake and a request's headers must be there within it (upstream: ReadHeaderTimeout). */
const HEADERS_TIMEOUT_MS = 32_000;
/** How long running requests may take once the server is told to stop. */
const DRAIN_MS = 10_000;
const MAX_HEADER_BYTES = 128 * 1024;

export interface ServerOptions extends Access {
  readonly tls: ServingTls;
  readonly address: string;
  readonly port: number;
  readonly requestTimeoutMs: number;
  /** Upstream's 32 s when left out. */
  readonly headersTimeoutMs?: number;
  readonly inFlight: InFlight;
  readonly logger: Logger;
  /** Records what is asked and answered; undefined when nothing is. */
  readonly audit?: Audit | undefined;
  /** Answers an authorised request. */
  handle(exchange: Exchange): Promise<void> | void;
  /** Takes over the socket of an authorised upgrade. Throws before it has written anything. */
  upgrade(exchange: Omit<Exchange, "response">, socket: Duplex, head: Buffer): Promise<void>;
  /** Told of each answer. */
  observe(observation: { info: RequestInfo; code: number; durationMs: number }): void;
}

export interface ApiServer {
  readonly port: number;
  /** Takes no new requests, waits for those that run, then closes. */
  close(): Promise<void>;
}

/** Listens; resolves when it does. */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const headersTimeoutMs = options.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const https = {
    ...options.tls.options,
    maxHeaderSize: MAX_HEADER_BYTES,
    handshakeTimeout: headersTimeoutMs,
    connectionsCheckingInterval: Math.ceil(headersTimeoutMs / 4),
  };
  const app = fastify({
    https: { ...https, ServerResponse: AuditedResponse } as never,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: 0,
    forceCloseConnections: "idle",
    exposeHeadRoutes: false,
    clientErrorHandler: refuse,
    frameworkErrors: (error, request, reply) => {
      reply.hijack();
      sendError(request.raw, reply.raw, badRequest(error.message));
    },
  });
  // Handled before fastify would read the body: bodies are read where their kind and limit are known.
  const connections = new Map<Socket, number>();
  app.server.on("secureConnection", (socket: Socket) => {
    connections.set(socket, 0);
    socket.on("close", () => connections.delete(socket));
  });
  const deadlines = createDeadlines(options.requestTimeoutMs);
  const answered = function (this: AuditedResponse): void {
    const { servedOn } = this;
    if (servedOn && !servedOn.destroyed) connections.set(servedOn, (connections.get(servedOn) ?? 1) - 1);
  };
  // Never calls done: fastify's part of the request is over.
  app.addHook("onRequest", (request, reply, _done) => {
    reply.hijack();
    const { socket } = request.raw;
    // Sent behind a request whose answer was the connection's last.
    if (socket.writableEnded) return;
    connections.set(socket, (connections.get(socket) ?? 0) + 1);
    const response = reply.raw as AuditedResponse;
    response.servedOn = socket;
    response.on("close", answered);
    void serve(options, deadlines, { request: request.raw, response });
  });
  app.all("/*", async () => {});
  app.server.headersTimeout = headersTimeoutMs;
  app.server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void serveUpgrade(options, { request, socket, head });
  });
  options.tls.attach(app.server as never);
  const upgraded = new Set<Duplex>();
  app.server.on("upgrade", (_request, socket: Duplex) => {
    upgraded.add(socket);
    socket.on("close", () => upgraded.delete(socket));
  });
  await app.listen({ host: options.address, port: options.port });
  const bound = app.server.address();
  return {
    port: typeof bound === "object" && bound ? bound.port : options.port,
    async close() {
      for (const socket of upgraded) socket.destroy();
      // Connections fall idle one after the other, as their requests end. Node.js's own closeIdleConnections spares
      // those that have not had a request yet.
      const idle = setInterval(() => {
        for (const [socket, active] of connections) if (active === 0) socket.destroy();
      }, 20);
      const late = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS);
      await app.close();
      clearInterval(idle);
      clearTimeout(late);
    },
  };
}

/** Answers what is no HTTP request in Go's words; who was too slow gets no answer, as there. */
function refuse(error: Error & { code?: string }, socket: Socket): void {
  // The parser complains again of what still comes in after the answer.
  if (socket.writableEnded) return;
  // Only the parser's complaints have a client that can be answered: not a reset, not a handshake that never ended.
  if (!socket.writable || !error.code?.startsWith("HPE_")) {
    socket.destroy();
    return;
  }
  const line = error.code === "HPE_HEADER_OVERFLOW" ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
  endLingering(socket, `HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${line}`);
}

/** A client that goes away is no error of ours. */
function gone(): void {}

/** Never throws: whatever goes wrong becomes the answer. */
async function serve(
  options: ServerOptions,
  deadlines: Deadlines,
  { request, response }: { request: IncomingMessage; response: AuditedResponse },
): Promise<void> {
  const startedMs = performance.now();
  let info: RequestInfo | undefined;
  let leave = () => {};
  let deadline: object | undefined;
  let timedOut = false;
  request.on("error", gone);
  response.on("error", gone);
  try {
    const auditId = auditIdOf(request);
    response.auditId = auditId;
    info = readInfo(request);
    const asked = { request, response, auditId, isLongRunning: isLongRunning(info) };
    const begin = (attributes: Attributes) => options.audit?.begin({ ...asked, attributes });
    const identity = identify(options, { request, info, begin });
    const { user, trail } = identity instanceof Promise ? await identity : identity;
    const place = options.inFlight.enter(info, user);
    if (!place) return sendBusy(request, response);
    leave = place;
    // A watch has only begun when its handler returns.
    if (isLongRunning(info)) leaveAtClose(response, leave);
    const permission = permit(options, attributesOf(info, user), trail);
    if (permission) await permission;
    if (!isLongRunning(info)) {
      deadline = deadlines.add(() => {
        timedOut = true;
        const why = "request did not complete within the requested timeout - context deadline exceeded";
        sendError(request, response, timeout(`Timeout: ${why}`));
      });
    }
    const annotate = trail && ((key: string, value: string) => trail.annotate(key, value));
    await options.handle(createExchange({ request, response, info, user, annotate }));
  } catch (error) {
    // Whoever timed out has been answered; that the handler then finds nobody to answer is no fault.
    if (timedOut) return;
    report(options.logger, error, request);
    sendError(request, response, error);
  } finally {
    deadlines.remove(deadline);
    if (!info || !isLongRunning(info)) leave();
    if (info) options.observe({ info, code: response.statusCode, durationMs: performance.now() - startedMs });
  }
}

/** The client's own id, or a new one. */
function auditIdOf({ headers }: IncomingMessage): string {
  const auditId = headers["audit-id"];
  return typeof auditId === "string" && auditId.length <= 64 ? auditId : randomUUID();
}

function leaveAtClose(stream: ServerResponse | Duplex, leave: () => void): void {
  if (stream.destroyed) leave();
  else stream.once("close", leave);
}

async function serveUpgrade(
  options: ServerOptions,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): Promise<void> {
  socket.on("error", () => {});
  let trail: AuditTrail | undefined;
  try {
    const info = readInfo(request);
    const asked = { request, socket, auditId: auditIdOf(request), isLongRunning: true };
    const begin = (attributes: Attributes) => {
      trail = options.audit?.beginUpgrade({ ...asked, attributes });
      return trail;
    };
    const { user } = await identify(options, { request, info, begin });
    await permit(options, attributesOf(info, user), trail);
    // Streams are not bounded: there always is a place.
    leaveAtClose(socket, options.inFlight.enter(info, user) ?? (() => {}));
    await options.upgrade({ request, info, user, warn: () => {}, annotate: undefined }, socket, head);
    trail?.upgraded();
  } catch (error) {
    report(options.logger, error, request);
    const status = statusOf(error);
    trail?.complete({ code: status.code, message: status.message ?? "" });
    const body = JSON.stringify(status);
    socket.end(
      `HTTP/1.1 ${status.code} ${status.reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}

function readInfo(request: IncomingMessage): RequestInfo {
  try {
    return requestInfoOf(request.method ?? "GET", request.url ?? "/");
  } catch (error) {
    throw badRequest(`invalid URL escape in ${JSON.stringify(request.url)}`, { cause: error });
  }
}

function report(logger: Logger, error: unknown, { method, url }: IncomingMessage): void {
  const { code } = statusOf(error);
  if (code < 500 || code === 503 || code === 504) return;
  logger.error("a request failed", { method, url, err: error, stack: (error as Error).stack });
}
