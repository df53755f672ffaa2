// Counts and times answers under upstream's metric names. Judges nothing.

import type { Metrics } from "@picokube/component-base/metrics";
import type { RequestInfo } from "../request/request-info.js";
import { type InFlight, isLongRunning } from "./in-flight.js";

const SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 5, 10, 60];

/** The observer that the server calls after each answer. */
export function createRequestMetrics({
  metrics,
  inFlight,
  isServed,
}: {
  metrics: Metrics;
  inFlight: InFlight;
  /** Whether there is such a path: others would let clients make labels without bound. */
  isServed(info: RequestInfo): boolean;
}): (observation: { info: RequestInfo; code: number; durationMs: number }) => void {
  const total = metrics.counter({
    name: "apiserver_request_total",
    help: "Counter of apiserver requests broken out for each verb, resource and HTTP response code.",
    labels: ["verb", "group", "version", "resource", "subresource", "code"],
  });
  const duration = metrics.histogram({
    name: "apiserver_request_duration_seconds",
    help: "Response latency distribution in seconds for each verb, group, version and resource.",
    labels: ["verb", "group", "version", "resource"],
    buckets: SECONDS,
  });
  metrics.gauge({
    name: "apiserver_current_inflight_requests",
    help: "Number of requests being served now per request kind.",
    labels: ["request_kind"],
    collect(gauge) {
      gauge.set({ request_kind: "readOnly" }, inFlight.reading);
      gauge.set({ request_kind: "mutating" }, inFlight.mutating);
    },
  });
  metrics.gauge({
    name: "apiserver_longrunning_requests",
    help: "Number of watches and streams that are open now.",
    collect(gauge) {
      gauge.set(inFlight.longRunning);
    },
  });
  return ({ info, code, durationMs }) => {
    // What succeeded is served; only the rest need be asked for.
    if (!info.isResourceRequest || (code >= 400 && !isServed(info))) return;
    const { group, version, resource, subresource } = info;
    const verb = info.verb.toUpperCase();
    total.inc({ verb, group, version, resource, subresource, code });
    if (!isLongRunning(info)) duration.observe({ verb, group, version, resource }, durationMs / 1000);
  };
}
