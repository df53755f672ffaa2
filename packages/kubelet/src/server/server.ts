// The kubelet's HTTPS server on 10250: logs, exec, attach, port-forward, figures and itself. Every request is
// authenticated and authorised. It shows and relays; it changes nothing.

import type { IncomingMessage } from "node:http";
import type { Server as HttpsServer } from "node:https";
import type { DelegatedAuth } from "@picokube/client/delegated-auth";
import type { Clock } from "@picokube/component-base/clock";
import type { HealthCheck } from "@picokube/component-base/health-checks";
import { answerHealth } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { ServingTls } from "@picokube/component-base/tls-options";
import { type FastifyInstance, type FastifyReply, fastify } from "fastify";
import type { Runtime } from "../cri/runtime.js";
import type { KubeletSettings, PodLookup, Server } from "../parts.js";
import { allContainers } from "../pods/container-spec.js";
import { cadvisorMetrics } from "./cadvisor-metrics.js";
import { openLog, parseLogQuery } from "./container-logs.js";
import {
  codeOf,
  containerStatusOf,
  findPod,
  logContainerId,
  runningContainerId,
  ServerError,
} from "./container-lookup.js";
import { createCpuRates } from "./cpu-rates.js";
import { measureRequests } from "./http-metrics.js";
import { metricText } from "./metric-text.js";
import { podList, runningPodList } from "./pod-lists.js";
import { authorizeRequest } from "./request-auth.js";
import { resourceMetrics } from "./resource-metrics.js";
import { statsSummary } from "./stats-summary.js";
import { systemLog } from "./system-logs.js";
import { refuseUpgrade, serveUpgrade } from "./upgrades.js";
import { volumeFamilies } from "./volume-stats.js";
import { createWalkedDisks } from "./walked-disks.js";

const runTimeoutMs = 60_000;
/** Of containers' disks where volumes' are not walked. */
const walkPeriodMs = 60_000;

export interface KubeletServerOptions {
  settings: KubeletSettings;
  lookup: PodLookup;
  runtime: Runtime;
  auth: Pick<DelegatedAuth, "authenticate" | "authorize">;
  /** From serving-tls.ts. */
  tls: ServingTls;
  metrics: Metrics;
  /** Of probes: /metrics/probes. */
  probeMetrics: Metrics;
  checks?: readonly HealthCheck[];
  clock: Clock;
  logger: Logger;
  /** For tests: told the port once it is known. */
  onListening?: (port: number) => void;
}

type PodPath = { namespace: string; pod: string; container: string };

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? "/", "http://kubelet").searchParams;
}

function text(reply: FastifyReply, words: string, code = 200): FastifyReply {
  return reply.code(code).type("text/plain; charset=utf-8").send(words);
}

/** Upstream's getHandlerForDisabledEndpoint. */
function disabled(app: FastifyInstance, path: string, words: string): void {
  app.all(path, async () => {
    throw new ServerError(405, `${words}\n`);
  });
}

/** Upstream's InstallDebuggingDisabledHandlers. */
function debuggingDisabled(app: FastifyInstance): void {
  for (const path of ["run", "exec", "attach", "portForward", "containerLogs", "runningpods", "debug/pprof", "logs"]) {
    disabled(app, `/${path}/*`, "Debug endpoints are disabled.");
  }
}

const systemLogRoot = "/var/log";

function systemLogs(app: FastifyInstance): void {
  app.get("/logs/*", async (request, reply) => {
    const path = `/${(request.params as { "*": string })["*"]}`;
    const found = await systemLog(systemLogRoot, path);
    if (found.kind === "redirect") return reply.redirect(found.location, 301);
    if (found.kind === "listing") return reply.type("text/html; charset=utf-8").send(found.html);
    return reply.type("text/plain; charset=utf-8").header("content-length", found.sizeBytes).send(found.content);
  });
}

/** Docker's own checkpoints are experimental and no archives: the answer is upstream's for a runtime that has none. */
function checkpoints(app: FastifyInstance, lookup: PodLookup): void {
  app.post<{ Params: PodPath }>("/checkpoint/:namespace/:pod/:container", async (request) => {
    const { namespace, pod: name, container } = request.params;
    const pod = findPod(lookup, { namespace, name });
    if (!allContainers(pod).some((one) => one.name === container)) {
      throw new ServerError(404, `container ${container} does not exist`);
    }
    const words = "rpc error: code = Unimplemented desc = method CheckpointContainer not implemented";
    throw new ServerError(500, `checkpointing of ${namespace}/${name}/${container} failed (${words})`);
  });
}

function routes(app: FastifyInstance, options: KubeletServerOptions): void {
  const { settings, lookup, runtime, metrics, probeMetrics, clock } = options;
  const stats = { lookup, runtime, settings, clock };
  const walked = createWalkedDisks({ clock, periodMs: Math.max(0, settings.volumeStatsAggPeriodMs) || walkPeriodMs });
  const rates = createCpuRates(clock);
  for (const path of ["/healthz", "/healthz/*"]) {
    app.get(path, async (request, reply) => {
      reply.hijack();
      const { pathname, searchParams: query } = new URL(request.raw.url ?? "/", "http://kubelet");
      await answerHealth(reply.raw, { checks: options.checks ?? [], pathname, query });
    });
  }
  app.get("/metrics", async (_request, reply) => {
    const volumes = settings.volumeStatsAggPeriodMs < 0 ? [] : await volumeFamilies(lookup);
    return reply.type(metrics.contentType).send((await metrics.render()) + metricText(volumes));
  });
  const figures = (reply: FastifyReply, words: string) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(words);
  app.get("/metrics/resource", async (_request, reply) => figures(reply, await resourceMetrics(stats)));
  app.get("/metrics/cadvisor", async (_request, reply) => figures(reply, await cadvisorMetrics(stats, walked)));
  app.get("/metrics/probes", async (_request, reply) => figures(reply, await probeMetrics.render()));
  app.get("/stats/summary", () => statsSummary(stats, { walked, rates }));
  app.get("/pods", async () => podList(lookup));
  if (!settings.enableDebuggingHandlers) {
    debuggingDisabled(app);
    return;
  }
  app.get("/configz", async () => ({ kubeletconfig: settings.configuration }));
  for (const path of ["/runningpods", "/runningpods/"]) app.get(path, async () => runningPodList(lookup));
  if (settings.enableSystemLogHandler) systemLogs(app);
  else disabled(app, "/logs/*", "logs endpoint is disabled.");
  // What Go's runtime offers there Node.js has not.
  disabled(app, "/debug/pprof/*", "profiling endpoint is disabled.");
  disabled(app, "/debug/flags/v", "flags endpoint is disabled.");
  checkpoints(app, lookup);
  app.get<{ Params: PodPath }>("/containerLogs/:namespace/:pod/:container", async (request, reply) => {
    const { namespace, pod: name, container } = request.params;
    const query = parseLogQuery(queryOf(request.raw), clock.now());
    const pod = findPod(lookup, { namespace, name });
    const status = containerStatusOf(lookup, pod, container);
    const id = logContainerId(status, { pod: name, container, previous: query.previous });
    const abort = new AbortController();
    reply.raw.on("close", () => abort.abort());
    const log = await openLog(runtime, id, query, abort);
    // A follower must see the head before the first line.
    reply.type("text/plain");
    reply.raw.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
    reply.raw.flushHeaders();
    reply.hijack();
    log.pipe(reply.raw);
  });
  const run = async (path: PodPath & { uid?: string }, query: URLSearchParams, reply: FastifyReply) => {
    const pod = findPod(lookup, { namespace: path.namespace, name: path.pod, ...(path.uid ? { uid: path.uid } : {}) });
    const id = runningContainerId(lookup, pod, path.container);
    const command = (query.get("cmd") ?? "").split(" ").filter(Boolean);
    if (command.length === 0) throw new ServerError(400, "you must specify a command");
    const { output } = await runtime.execSync(id, command, runTimeoutMs);
    return text(reply, output);
  };
  for (const path of ["/run/:namespace/:pod/:container", "/run/:namespace/:pod/:uid/:container"]) {
    app.post<{ Params: PodPath & { uid?: string } }>(path, (request, reply) =>
      run(request.params, queryOf(request.raw), reply),
    );
  }
  // Without an upgrade these say what is missing.
  for (const path of ["/exec/*", "/attach/*", "/portForward/*"]) {
    app.all(path, async () => {
      throw new ServerError(400, "Upgrade request required");
    });
  }
}

/** Makes the one Server of a kubelet. */
export function createServer(options: KubeletServerOptions): Server {
  const { settings, lookup, runtime, tls, logger } = options;

  return {
    async run(signal) {
      const app = fastify({ https: tls.options, logger: false, forceCloseConnections: true, bodyLimit: 1024 * 1024 });
      const https = app.server as unknown as HttpsServer;
      tls.attach(https);
      // Bodies are of no interest here, but must not be refused for their type.
      app.removeAllContentTypeParsers();
      app.addContentTypeParser("*", (_request, payload, done) => {
        payload.resume();
        payload.on("end", () => done(null));
      });
      measureRequests(app as unknown as FastifyInstance, options.metrics, options.clock);
      app.addHook("onRequest", (request) => authorizeRequest(request.raw, options));
      app.setNotFoundHandler((_request, reply) => text(reply, "404 page not found\n", 404));
      app.setErrorHandler((error, request, reply) => {
        const code = codeOf(error);
        if (code >= 500) logger.error("Request failed", { path: request.url, err: error });
        return text(reply, (error as Error).message, code);
      });
      routes(app as unknown as FastifyInstance, options);
      const open = new Set<{ destroy(): void }>();
      https.on("upgrade", (request, socket, head) => {
        open.add(socket);
        socket.on("close", () => open.delete(socket));
        socket.on("error", () => undefined);
        authorizeRequest(request, options)
          .then(() => serveUpgrade({ request, socket, head }, { lookup, runtime }))
          .catch((error: unknown) => {
            logger.v(2).info("Upgrade failed", { path: request.url, err: error });
            refuseUpgrade(socket, error);
          });
      });
      await app.listen({ host: settings.address, port: settings.port });
      const { port } = https.address() as { port: number };
      options.onListening?.(port);
      logger.info("Starting to listen", { address: settings.address, port });
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      for (const socket of open) socket.destroy();
      await app.close();
    },
  };
}
