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
import { openLog, parseLogQuery } from "./container-logs.js";
import {
  codeOf,
  containerStatusOf,
  findPod,
  logContainerId,
  runningContainerId,
  ServerError,
} from "./container-lookup.js";
import { authorizeRequest } from "./request-auth.js";
import { resourceMetrics, statsSummary } from "./stats.js";
import { refuseUpgrade, serveUpgrade } from "./upgrades.js";

const runTimeoutMs = 60_000;

export interface KubeletServerOptions {
  settings: KubeletSettings;
  lookup: PodLookup;
  runtime: Runtime;
  auth: Pick<DelegatedAuth, "authenticate" | "authorize">;
  /** From serving-tls.ts. */
  tls: ServingTls;
  metrics: Metrics;
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

/** What /configz shows of the settings, under upstream's names. */
function configz(settings: KubeletSettings): unknown {
  const seconds = (ms: number) => `${ms / 1000}s`;
  return {
    kubeletconfig: {
      kind: "KubeletConfiguration",
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      address: settings.address,
      port: settings.port,
      healthzBindAddress: settings.healthzBindAddress,
      healthzPort: settings.healthzPort,
      staticPodPath: settings.staticPodPath,
      syncFrequency: seconds(settings.syncFrequencyMs),
      fileCheckFrequency: seconds(settings.fileCheckFrequencyMs),
      nodeStatusUpdateFrequency: seconds(settings.nodeStatusUpdateFrequencyMs),
      nodeStatusReportFrequency: seconds(settings.nodeStatusReportFrequencyMs),
      nodeLeaseDurationSeconds: settings.nodeLeaseDurationSeconds,
      clusterDomain: settings.clusterDomain,
      clusterDNS: settings.clusterDns,
      resolvConf: settings.resolvConf,
      maxPods: settings.maxPods,
      podPidsLimit: settings.podPidsLimit,
      cgroupDriver: settings.cgroupDriver,
      cgroupsPerQOS: settings.cgroupsPerQos,
      serializeImagePulls: settings.serializeImagePulls,
      evictionHard: settings.evictionHard,
      systemReserved: settings.systemReserved,
      kubeReserved: settings.kubeReserved,
      rotateCertificates: settings.rotateCertificates,
      serverTLSBootstrap: settings.serverTlsBootstrap,
      authentication: {
        x509: { clientCAFile: settings.clientCaFile },
        webhook: { enabled: settings.webhookAuthentication },
        anonymous: { enabled: settings.anonymousAuth },
      },
      authorization: { mode: settings.authorizationMode },
    },
  };
}

function routes(app: FastifyInstance, options: KubeletServerOptions): void {
  const { settings, lookup, runtime, metrics, clock } = options;
  const stats = { lookup, runtime, settings, clock };
  for (const path of ["/healthz", "/healthz/*"]) {
    app.get(path, async (request, reply) => {
      reply.hijack();
      const { pathname, searchParams: query } = new URL(request.raw.url ?? "/", "http://kubelet");
      await answerHealth(reply.raw, { checks: options.checks ?? [], pathname, query });
    });
  }
  app.get("/metrics", async (_request, reply) => reply.type(metrics.contentType).send(await metrics.render()));
  app.get("/metrics/resource", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await resourceMetrics(stats)),
  );
  app.get("/stats/summary", () => statsSummary(stats));
  app.get("/configz", async () => configz(settings));
  app.get("/pods", async () => ({
    kind: "PodList",
    apiVersion: "v1",
    metadata: {},
    items: lookup.pods().map((pod) => ({ ...pod, status: lookup.status(pod.metadata.uid) ?? pod.status })),
  }));
  if (!settings.enableDebuggingHandlers) return;
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
