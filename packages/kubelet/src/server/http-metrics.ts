// Requests of the kubelet's server as upstream tells them (pkg/kubelet/server/metrics). Answers nothing.

import type { Clock } from "@picokube/component-base/clock";
import type { Metrics } from "@picokube/component-base/metrics";
import type { FastifyInstance } from "fastify";

const longRunning = new Set(["exec", "attach", "portForward", "containerLogs"]);

/** Upstream's metric bucket of a path: what names no pod. */
export function pathBucket(url: string): string {
  const [first = "", second = ""] = url.split("?")[0]!.split("/").slice(1);
  return first === "metrics" || first === "stats" || first === "healthz" || first === "debug"
    ? [first, second].filter(Boolean).join("/")
    : first;
}

/** Counts and times every request that is answered in HTTP; upgrades are streams of their own. */
export function measureRequests(app: FastifyInstance, metrics: Metrics, clock: Clock): void {
  const labels = ["method", "path", "server_type", "long_running"] as const;
  const total = metrics.counter({
    name: "kubelet_http_requests_total",
    help: "[ALPHA] Number of the http requests received since the server started",
    labels,
  });
  const duration = metrics.histogram({
    name: "kubelet_http_requests_duration_seconds",
    help: "[ALPHA] Duration in seconds to serve http requests",
    labels,
  });
  const inFlight = metrics.gauge({
    name: "kubelet_http_inflight_requests",
    help: "[ALPHA] Number of the inflight http requests",
    labels,
  });
  app.addHook("onRequest", async (request, reply) => {
    const path = pathBucket(request.raw.url ?? "/");
    const long_running = String(longRunning.has(path));
    const of = { method: request.method, path, server_type: "readwrite", long_running };
    const beganMs = clock.now();
    total.inc(of);
    inFlight.inc(of);
    reply.raw.once("close", () => {
      inFlight.dec(of);
      duration.observe(of, (clock.now() - beganMs) / 1000);
    });
  });
}
