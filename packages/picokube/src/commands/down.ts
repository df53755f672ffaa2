// `picokube down`: stops the processes and shuts the local VMs down. Data and pods stay: containers of this machine's own
// engine go on serving until the next `up`.

import { pathsOf, requireCluster } from "../cluster/cluster.js";
import { stopSupervised } from "../supervisor/stop-supervised.js";
import { readVms } from "../vms/vm.js";
import { haltVm } from "../vms/vm-lifecycle.js";

/** Resolves when no process of the cluster is left. Idempotent. */
export async function down(dataDir: string): Promise<void> {
  const cluster = requireCluster(dataDir);
  const halted = await Promise.all(readVms(cluster).map(haltVm));
  const wasRunning = await stopSupervised(pathsOf(cluster).processes);
  console.log(
    wasRunning || halted.includes(true)
      ? `The cluster ${cluster.name} is stopped; its data and its pods stay. picokube up starts it again.`
      : `The cluster ${cluster.name} was not running.`,
  );
}
