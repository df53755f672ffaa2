// kube-proxy's two listeners: health for load balancers and probes, metrics and settings for people of the node.

import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { type HealthServer, startHealthServer } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { KubeProxyConfiguration } from "./configuration.js";
import type { ProxyHealth } from "./proxy-health.js";

export interface ServersOptions {
  readonly configuration: KubeProxyConfiguration;
  readonly health: ProxyHealth;
  readonly metrics: Metrics;
  /** Throws while the first rules are not written. */
  readonly check: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Upstream waits so long before it tries to bind again. */
const bindRetryMs = 5_000;

/** Opens both, those with an empty address left out; resolves to what closes them. A port that is taken is tried again,
 *  unless bindAddressHardFail. */
export async function startServers(options: ServersOptions): Promise<() => Promise<void>> {
  const { configuration, health, metrics, check } = options;
  const open: Promise<HealthServer | undefined>[] = [];
  if (configuration.healthzBindAddress !== "")
    open.push(
      insist("healthz", configuration.healthzBindAddress, options, (at) =>
        startHealthServer({ ...at, checks: [{ name: "sync", on: ["readyz"], check }], handlers: health.handlers }),
      ),
    );
  if (configuration.metricsBindAddress !== "")
    open.push(
      insist("metrics", configuration.metricsBindAddress, options, (at) =>
        startHealthServer({
          ...at,
          checks: [{ name: "sync", on: ["readyz"], check }],
          metrics,
          handlers: {
            "/proxyMode": (_, response) => {
              response.setHeader("Content-Type", "text/plain; charset=utf-8");
              response.setHeader("X-Content-Type-Options", "nosniff");
              response.end(configuration.mode);
            },
            "/configz": (_, response) => {
              response.setHeader("Content-Type", "application/json");
              response.end(JSON.stringify({ "kubeproxy.config.k8s.io": configuration }));
            },
          },
        }),
      ),
    );
  // The first try is waited for, so that whoever is told of a start can ask.
  if (configuration.bindAddressHardFail) await Promise.all(open);
  return async () => {
    for (const server of await Promise.all(open)) await server?.close();
  };
}

async function insist(
  name: string,
  address: string,
  { configuration, clock, logger, signal }: ServersOptions,
  start: (at: HostPort) => Promise<HealthServer>,
): Promise<HealthServer | undefined> {
  while (!signal.aborted) {
    try {
      return await start(hostPort(address));
    } catch (error) {
      if (configuration.bindAddressHardFail)
        throw new ConfigError(`failed to start ${name} on ${address}: ${(error as Error).message}`, { cause: error });
      logger.error(`Failed to start ${name} server`, { address, err: error });
      await clock.sleep(bindRetryMs, signal).catch(() => {});
    }
  }
  return undefined;
}

export interface HostPort {
  readonly address: string;
  readonly port: number;
}

/** "127.0.0.1:10249" or "[::1]:10249", which the configuration's validation let pass. */
export function hostPort(text: string): HostPort {
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  return { address: bracketed ?? plain ?? "", port: Number(port) };
}
