// The scheduler's HTTPS listener: health for all; metrics and the latest attempts for those who may see them.

import type { Client } from "@picokube/client/client";
import { createDelegatedAuth } from "@picokube/client/delegated-auth";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { type HealthServer, startHealthServer } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import { servingTls } from "@picokube/component-base/tls-options";
import type { AttemptLog } from "./attempt-log.js";

export interface ServeOptions {
  readonly address: string;
  readonly port: number;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly clientCaFile: string | undefined;
  readonly authClient: Client;
  readonly attempts: AttemptLog;
  readonly metrics: Metrics;
  /** Throws when the scheduler is not well. */
  readonly check: () => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Listens; undefined when there is nothing to listen with. */
export async function serve(options: ServeOptions): Promise<HealthServer | undefined> {
  const { address, port, certFile, keyFile, clientCaFile, authClient, attempts, metrics, check, clock, logger } =
    options;
  if (port === 0) return undefined;
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new ConfigError("--tls-cert-file and --tls-private-key-file must be given together");
  }
  if (certFile === undefined || keyFile === undefined) {
    logger.warn("Not serving HTTPS: --tls-cert-file and --tls-private-key-file are not given", { port });
    return undefined;
  }
  const auth = createDelegatedAuth({ client: authClient, clock });
  return startHealthServer({
    address,
    port,
    tls: servingTls({ certFile, keyFile, clientCaFile, logger }),
    checks: [{ name: "leaderElection", check }],
    metrics,
    authorize: (request) => auth.authorizePath(request),
    handlers: {
      "/debug/attempts": (request, response) => {
        const pod = new URL(request.url ?? "/", "http://host").searchParams.get("pod") ?? undefined;
        response.setHeader("Content-Type", "application/json");
        response.end(JSON.stringify(attempts.list(pod)));
      },
    },
  });
}
