// What an authorised request reaches: resources, discovery, OpenAPI, health, metrics, version. Authorises nothing.

import type { Duplex } from "node:stream";
import { badRequest, notFound } from "@picokube/api/errors";
import {
  checksOf,
  HEALTH_ENDPOINTS,
  type HealthCheck,
  healthPathOf,
  runHealthChecks,
} from "@picokube/component-base/health-checks";
import type { Metrics } from "@picokube/component-base/metrics";
import { version } from "@picokube/component-base/version";
import type { Discovery } from "../discovery/discovery.js";
import type { HandlerDependencies } from "../handlers/dependencies.js";
import { type Exchange, sendJson, sendJsonBytes, sendText } from "../handlers/exchange.js";
import { representationOf, sendDocument } from "../handlers/represent.js";
import { routeOf } from "../handlers/route.js";
import type { OpenApi } from "../openapi/openapi.js";

/** Subresources that are proxied to kubelets, pods and services. */
export interface Streaming {
  handleHttp(exchange: Exchange): Promise<void>;
  /** Throws before it has written anything to the socket. */
  handleUpgrade(exchange: Omit<Exchange, "response">, socket: Duplex, head: Buffer): Promise<void>;
}

export interface DispatchOptions {
  readonly dependencies: HandlerDependencies;
  readonly discovery: Discovery;
  readonly openApi: OpenApi;
  readonly streaming: Streaming | undefined;
  readonly healthChecks: readonly HealthCheck[];
  readonly metrics: Metrics;
  /** Further documents by path: OpenID discovery. */
  readonly documents: { readonly [path: string]: () => { contentType: string; body: string } };
}

/** Answers any authorised request. */
export function dispatch(exchange: Exchange, options: DispatchOptions): Promise<void> | void {
  const { info, response } = exchange;
  if (!info.isResourceRequest) return dispatchDocument(exchange, options);
  const route = routeOf(info, options.dependencies.registry);
  if (route.kind !== "absent") exchange.warn(route.target.served.definition.deprecationWarning ?? "");
  if (route.kind === "handler") return route.handler(exchange, route.target, options.dependencies);
  if (route.kind === "stream" && options.streaming) return options.streaming.handleHttp(exchange);
  sendText(response, 404, "404 page not found\n");
}

async function dispatchDocument(exchange: Exchange, options: DispatchOptions): Promise<void> {
  const { info, response, request } = exchange;
  const { path } = info;
  if (path === "/api" || path === "/apis" || path.startsWith("/api/") || path.startsWith("/apis/")) {
    const document = options.discovery.handle(path, request.headers.accept);
    if (!document) {
      if (path.startsWith("/apis/")) throw notFound({ group: "", resource: "" }, path);
      return sendText(response, 404, "404 page not found\n");
    }
    const headers = { ETag: `"${document.etag}"`, Vary: "Accept", "Cache-Control": "no-cache, private" };
    if (request.headers["if-none-match"]?.includes(headers.ETag)) {
      response.writeHead(304, headers).end();
      return;
    }
    if (document.contentType === "application/json") {
      const representation = representationOf(exchange, { transforms: false });
      if (representation.pretty || representation.format !== "json") {
        return sendDocument(exchange, 200, document.body, representation);
      }
    }
    response.writeHead(200, {
      "Content-Type": document.contentType,
      "Content-Length": document.body.length,
      ...headers,
    });
    response.end(document.body);
    return;
  }
  if (path.startsWith("/openapi/")) {
    const { accept, "accept-encoding": encoding, "if-none-match": ifNoneMatch } = request.headers;
    const acceptEncoding = typeof encoding === "string" ? encoding : undefined;
    const answer = await options.openApi.handle(request.url ?? path, accept, { acceptEncoding, ifNoneMatch });
    if (!answer) return sendText(response, 404, "404 page not found\n");
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
    return;
  }
  return dispatchPlain(exchange, options);
}

async function dispatchPlain({ info, response }: Exchange, options: DispatchOptions): Promise<void> {
  const { path } = info;
  if (path === "/version" || path === "/version/")
    return sendJsonBytes(response, 200, Buffer.from(JSON.stringify(version, null, 2)));
  if (path === "/metrics") {
    const text = await options.metrics.render();
    response.writeHead(200, { "Content-Type": options.metrics.contentType });
    response.end(text);
    return;
  }
  const document = Object.hasOwn(options.documents, path) ? options.documents[path] : undefined;
  if (document) {
    const { contentType, body } = document();
    response.writeHead(200, { "Content-Type": contentType, "Cache-Control": "public, max-age=3600" });
    response.end(body);
    return;
  }
  if (path === "/") {
    const checks = HEALTH_ENDPOINTS.flatMap((endpoint) => [
      `/${endpoint}`,
      ...checksOf(endpoint, options.healthChecks).map(({ name }) => `/${endpoint}/${name}`),
    ]);
    const others = ["/metrics", "/openapi/v2", "/openapi/v3", "/version", ...Object.keys(options.documents)];
    return sendJson(response, 200, { paths: [...options.discovery.paths, ...checks, ...others].sort() });
  }
  const healthPath = healthPathOf(path);
  if (healthPath) {
    const { code, text } = await runHealthChecks(options.healthChecks, { ...healthPath, query: info.query });
    return sendText(response, code, text);
  }
  sendText(response, 404, "404 page not found\n");
}

/** Takes over an authorised upgrade: a watch over WebSocket or a stream. */
export async function dispatchUpgrade(
  exchange: Omit<Exchange, "response">,
  { socket, head }: { socket: Duplex; head: Buffer },
  options: DispatchOptions,
): Promise<void> {
  const { info } = exchange;
  const route = info.isResourceRequest ? routeOf(info, options.dependencies.registry) : undefined;
  if (route?.kind === "stream" && options.streaming) return options.streaming.handleUpgrade(exchange, socket, head);
  if (route?.kind === "handler" && info.verb === "watch") {
    const { watchOverWebSocket } = await import("../handlers/watch-websocket.js");
    return watchOverWebSocket(exchange, {
      socket,
      head,
      served: route.target.served,
      dependencies: options.dependencies,
    });
  }
  throw badRequest("Upgrade request required");
}
