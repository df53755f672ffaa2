// The hidden command `picokube supervise`: the process that `up` leaves behind. Only one runs for a data directory.

import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { pathsOf, requireCluster } from "../cluster/cluster.js";
import { componentSpecs } from "../cluster/components.js";
import { makeCredentials } from "../steps/credentials.js";
import { requireVm } from "../vms/vm.js";
import { vmComponentSpecs } from "../vms/vm-components.js";
import { makeVmCredentials, processTableOf } from "../vms/vm-lifecycle.js";
import { isAlive } from "./process-identity.js";
import { readProcessTable } from "./process-table.js";
import { renewCredentials } from "./renew-credentials.js";
import { supervise } from "./supervisor.js";

/** Keeps the cluster's components on this machine running, or those of one of its local VMs; until SIGTERM. Throws
 *  ConfigError when another supervisor already does. */
export async function runSupervisor({ dataDir, node }: { dataDir: string; node?: string }): Promise<void> {
  const cluster = requireCluster(dataDir);
  const vm = node === undefined ? undefined : requireVm(cluster, node);
  const tablePath = vm ? processTableOf(vm) : pathsOf(cluster).processes;
  mkdirSync(dirname(tablePath), { recursive: true });
  const { supervisor } = readProcessTable(tablePath);
  if (isAlive(supervisor) && supervisor.pid !== process.pid)
    throw new ConfigError(
      `${vm ? `the node ${vm.name} of the` : "the"} cluster in ${dataDir} already has a supervisor: process ${supervisor.pid}`,
    );
  const controller = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.on(name, () => controller.abort());
  process.on("SIGHUP", () => {});
  const clock = realClock();
  await Promise.all([
    supervise(
      { specs: vm ? vmComponentSpecs(cluster, vm) : componentSpecs(cluster), tablePath, clock },
      controller.signal,
    ),
    // A joined machine's kubelet sees to its own.
    cluster.joined ||
      renewCredentials(
        // As the settings are then: the machine's address may be another by that time.
        () => (vm ? makeVmCredentials(requireCluster(dataDir), vm) : makeCredentials(requireCluster(dataDir))),
        clock,
        controller.signal,
      ),
  ]);
}
