// The listener of kube-controller-manager: health open, metrics and the rest by delegated authorisation.

import { hostname } from "node:os";
import type { Client } from "@picokube/client/client";
import { createDelegatedAuth } from "@picokube/client/delegated-auth";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { HealthCheck } from "@picokube/component-base/health-checks";
import { type HealthServer, startHealthServer } from "@picokube/component-base/health-server";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import { type ServingTls, servingTls, staticTls } from "@picokube/component-base/tls-options";
import type { ControllerManagerValues } from "./options.js";

/** Listens on --secure-port; nothing when that is 0. */
export async function startServing({
  options,
  client,
  clock,
  logger,
  metrics,
  checks,
}: {
  options: ControllerManagerValues;
  client: Client;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  checks: readonly HealthCheck[];
}): Promise<HealthServer | undefined> {
  if (options.securePort === 0) return undefined;
  const { authorizePath } = createDelegatedAuth({ client, clock });
  return startHealthServer({
    address: options.bindAddress,
    port: options.securePort,
    tls: await tlsOf(options, logger),
    metrics,
    checks,
    authorize: authorizePath,
  });
}

async function tlsOf(options: ControllerManagerValues, logger: Logger): Promise<ServingTls> {
  const { tlsCertFile: certFile, tlsPrivateKeyFile: keyFile, clientCaFile } = options;
  if (certFile && keyFile) return servingTls({ certFile, keyFile, clientCaFile, logger });
  if (certFile || keyFile) throw new ConfigError("--tls-cert-file and --tls-private-key-file must be given together");
  // Rarely needed and heavy, so loaded only then.
  const { createCa } = await import("@picokube/pki/ca");
  return staticTls(await createCa({ commonName: `${hostname()}@${Math.floor(Date.now() / 1000)}`, nowMs: Date.now() }));
}
