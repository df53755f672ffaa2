// Counts and times the requests of a process's clients under upstream's metric names. Judges nothing.

import type { Metrics } from "@picokube/component-base/metrics";

export interface ClientMetrics {
  /** One request was sent. No code: nobody answered. */
  sent(request: { method: string; host: string; code: number | undefined; seconds: number }): void;
}

const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];

/** Registers them; one for all clients of the process. */
export function createClientMetrics(metrics: Metrics): ClientMetrics {
  const requests = metrics.counter({
    name: "rest_client_requests_total",
    help: "Number of HTTP requests, partitioned by status code, method, and host.",
    labels: ["code", "method", "host"],
  });
  const durations = metrics.histogram({
    name: "rest_client_request_duration_seconds",
    help: "Request latency in seconds. Broken down by verb, and host.",
    labels: ["verb", "host"],
    buckets: SECONDS,
  });
  return {
    sent({ method, host, code, seconds }) {
      requests.inc({ code: code === undefined ? "<error>" : String(code), method, host });
      durations.observe({ verb: method, host }, seconds);
    },
  };
}
