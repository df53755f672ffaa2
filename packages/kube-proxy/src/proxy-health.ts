// Whether this proxy keeps its rules up with the cluster, and what /healthz and /livez on port 10256 say of it. Mirrors
// upstream's pkg/proxy/healthcheck/proxy_health.go.

import type { Node } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { HttpHandler } from "@picokube/component-base/health-server";
import type { IpFamily } from "./ip-family.js";

/** What the cluster autoscaler puts on a node that it is about to remove. */
const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

export interface ProxyHealth {
  /** A change waits to be written. */
  queued(family: IpFamily): void;
  /** The rules are those of the cluster. */
  updated(family: IpFamily): void;
  /** Whether no family has changes waiting for longer than the timeout. */
  isHealthy(): boolean;
  /** Whether balancers may send new connections here; no for a node that goes. */
  syncNode(node: Node | undefined): void;
  /** Of a server of its own: load balancers ask these from outside. */
  readonly handlers: Readonly<Record<"/healthz" | "/livez", HttpHandler>>;
}

export interface ProxyHealthOptions {
  readonly clock: Clock;
  /** Twice the sync period. */
  readonly timeoutMs: number;
  /** Told of each answer, for the metrics. */
  readonly answered: (path: "healthz" | "livez", code: 200 | 503) => void;
}

export function createProxyHealth({ clock, timeoutMs, answered }: ProxyHealthOptions): ProxyHealth {
  const lastUpdatedMs = new Map<IpFamily, number>();
  const queuedSinceMs = new Map<IpFamily, number>();
  let isNodeEligible = true;

  function state(): { isHealthy: boolean; lastMs: number | undefined } {
    let lastMs: number | undefined;
    for (const [family, updatedMs] of lastUpdatedMs) {
      const sinceMs = queuedSinceMs.get(family);
      if (sinceMs !== undefined && clock.now() - sinceMs >= timeoutMs) return { isHealthy: false, lastMs: updatedMs };
      lastMs = Math.max(lastMs ?? 0, updatedMs);
    }
    return { isHealthy: true, lastMs };
  }

  function handler(path: "healthz" | "livez"): HttpHandler {
    return (_, response) => {
      const { isHealthy, lastMs } = state();
      const isGood = isHealthy && (path === "livez" || isNodeEligible);
      const now = clock.now();
      const code = isGood ? 200 : 503;
      answered(path, code);
      response.writeHead(code, { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" });
      const times = `"lastUpdated": "${goTime(isGood ? now : lastMs)}","currentTime": "${goTime(now)}"`;
      response.end(path === "livez" ? `{${times}}` : `{${times}, "nodeEligible": ${isNodeEligible}}`);
    };
  }

  return {
    queued(family) {
      if (!queuedSinceMs.has(family)) queuedSinceMs.set(family, clock.now());
    },
    updated(family) {
      queuedSinceMs.delete(family);
      lastUpdatedMs.set(family, clock.now());
    },
    isHealthy: () => state().isHealthy,
    syncNode(node) {
      isNodeEligible =
        node !== undefined &&
        node.metadata.deletionTimestamp === undefined &&
        !node.spec?.taints?.some(({ key }) => key === toBeDeletedTaint);
    },
    handlers: { "/healthz": handler("healthz"), "/livez": handler("livez") },
  };
}

// Go's time.Time as %q prints it.
function goTime(ms: number | undefined): string {
  if (ms === undefined) return "0001-01-01 00:00:00 +0000 UTC";
  return `${new Date(ms).toISOString().replace("T", " ").replace("Z", "")} +0000 UTC`;
}
