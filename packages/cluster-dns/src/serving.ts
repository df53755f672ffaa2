// Health and metrics of cluster-dns: upstream's paths (/health, /ready) beside the project's, and a listener for metrics
// alone that pods can reach.

import { ConfigError } from "@picokube/component-base/config-error";
import type { FlagValues } from "@picokube/component-base/flag-set";
import { type HealthServer, type HttpHandler, startHealthServer } from "@picokube/component-base/health-server";
import type { Metrics } from "@picokube/component-base/metrics";
import { parseResolver } from "./exchange.js";
import type { dnsFlags } from "./flags.js";

export interface ServingOptions {
  readonly values: FlagValues<typeof dnsFlags>;
  readonly metrics: Metrics;
  /** Aborted: going away, though still answering. */
  readonly signal: AbortSignal;
  hasSynced(): boolean;
}

export async function startServing({
  values,
  metrics,
  signal,
  hasSynced,
}: ServingOptions): Promise<{ close(): Promise<void> }> {
  const check = () => {
    if (!hasSynced()) throw new Error("the informers have not synced yet");
    if (signal.aborted) throw new Error("shutting down");
  };
  const ready: HttpHandler = (_request, response) => {
    const isReady = hasSynced() && !signal.aborted;
    response.writeHead(isReady ? 200 : 503).end(isReady ? "OK" : "kubernetes");
  };
  const health: HttpHandler = (_request, response) => void response.writeHead(200).end("OK");
  const servers: HealthServer[] = [
    await startHealthServer({
      address: values.healthBindAddress,
      port: values.healthPort,
      checks: [{ name: "informers", on: ["readyz"], check }],
      metrics,
      handlers: { "/health": health, "/ready": ready },
    }),
  ];
  if (values.metricsBindAddress) {
    const where = parseResolver(values.metricsBindAddress);
    if (!where) throw new ConfigError(`--metrics-bind-address: "${values.metricsBindAddress}" is not <address>:<port>`);
    servers.push(await startHealthServer({ address: where.host, port: where.port, metrics }));
  }
  return {
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
