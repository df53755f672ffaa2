// The hidden command `picokube supervise`: the process that `up` leaves behind. Only one runs for a data directory.

import { mkdirSync } from "node:fs";
import { realClock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { pathsOf, requireCluster } from "../cluster/cluster.js";
import { componentSpecs } from "../cluster/components.js";
import { isAlive } from "./process-identity.js";
import { readProcessTable } from "./process-table.js";
import { renewCredentials } from "./renew-credentials.js";
import { supervise } from "./supervisor.js";

/** Runs until SIGTERM. Throws ConfigError when another supervisor already runs. */
export async function runSupervisor(dataDir: string): Promise<void> {
  const cluster = requireCluster(dataDir);
  const { processes, run } = pathsOf(cluster);
  mkdirSync(run, { recursive: true });
  const { supervisor } = readProcessTable(processes);
  if (isAlive(supervisor) && supervisor.pid !== process.pid)
    throw new ConfigError(`the cluster in ${dataDir} already has a supervisor: process ${supervisor.pid}`);
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => controller.abort());
  process.on("SIGHUP", () => {});
  const clock = realClock();
  await Promise.all([
    supervise({ specs: componentSpecs(cluster), tablePath: processes, clock }, controller.signal),
    renewCredentials(cluster, clock, controller.signal),
  ]);
}
