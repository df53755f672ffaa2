// The small HTTP(S) server of daemons: /healthz, /livez, /readyz, /metrics and the paths a component adds.
// Health is open to all; everything else asks authorize first. The apiserver and the kubelet's API have servers of their own.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Socket } from "node:net";
import { type HealthCheck, healthPathOf, runHealthChecks } from "./health-checks.js";
import type { Metrics } from "./metrics.js";
import type { ServingTls } from "./tls-options.js";

export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Whether a request may go on; 401 and 403 carry the words to answer with. */
export type Authorization =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly code: 401 | 403; readonly message: string };

export interface HealthServerOptions {
  /** All addresses when left out. */
  readonly address?: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly tls?: ServingTls;
  readonly checks?: readonly HealthCheck[];
  readonly metrics?: Metrics;
  /** Guards everything but health; without it all is open. */
  readonly authorize?: (request: IncomingMessage) => Promise<Authorization>;
  /** Further paths, exact or, ending in "/", by prefix; one that is given for a health path answers in its stead. */
  readonly handlers?: Readonly<Record<string, HttpHandler>>;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens at once; resolves when it does. */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(options, request, response).catch((error: unknown) => {
      if (!response.headersSent) text(response, 500, `Internal Server Error: ${(error as Error).message}\n`);
      else response.destroy();
    });
  };
  const server: Server = options.tls ? createTlsServer(tlsOptions(options.tls), listener) : createServer(listener);
  options.tls?.attach(server as ReturnType<typeof createTlsServer>);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port, host: options.address }, resolve);
  });
  const bound = server.address();
  return {
    port: typeof bound === "object" && bound ? bound.port : options.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

// Without a CA of ours the handshake would believe the public ones: ask for no certificate at all.
function tlsOptions({ options }: ServingTls): ServingTls["options"] {
  return options.ca === undefined ? { ...options, requestCert: false } : options;
}

async function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://host");
  const replacesHealth = healthPathOf(pathname) !== undefined && options.handlers?.[pathname] !== undefined;
  const checks = options.checks ?? [];
  if (!replacesHealth && (await answerHealth(response, { checks, pathname, query: searchParams }))) return;
  const authorization = await options.authorize?.(request);
  if (authorization && !authorization.allowed) return text(response, authorization.code, `${authorization.message}\n`);
  if (pathname === "/metrics" && options.metrics) {
    response.setHeader("Content-Type", options.metrics.contentType);
    response.end(await options.metrics.render());
    return;
  }
  const handlers = options.handlers ?? {};
  const prefix = Object.keys(handlers).find((path) => path.endsWith("/") && pathname.startsWith(path));
  const handler = handlers[pathname] ?? (prefix === undefined ? undefined : handlers[prefix]);
  if (!handler) return text(response, 404, "404 page not found\n");
  await handler(request, response);
}

const PING: HealthCheck = { name: "ping", check() {} };

/** Answers a health path; false when the path is none. A component is always asked whether it answers: "ping". */
export async function answerHealth(
  response: ServerResponse,
  { checks, pathname, query }: { checks: readonly HealthCheck[]; pathname: string; query: URLSearchParams },
): Promise<boolean> {
  const path = healthPathOf(pathname);
  if (!path) return false;
  const answer = await runHealthChecks([PING, ...checks], { ...path, query });
  text(response, answer.code, answer.text);
  return true;
}

function text(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, { "Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff" });
  response.end(body);
}
