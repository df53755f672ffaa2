// `picokube down`: stops the processes. Data and pods stay: containers go on serving until the next `up`.

import { componentNames, pathsOf, requireCluster } from "../cluster/cluster.js";
import { isAlive, signalProcess, waitForExit } from "../supervisor/process-identity.js";
import { readProcessTable, writeProcessTable } from "../supervisor/process-table.js";
import { stopProcess } from "../supervisor/supervisor.js";

/** Resolves when no process of the cluster is left. Idempotent. */
export async function down(dataDir: string): Promise<void> {
  const cluster = requireCluster(dataDir);
  const { processes } = pathsOf(cluster);
  const { supervisor } = readProcessTable(processes);
  const wasRunning = isAlive(supervisor);
  if (signalProcess(supervisor, "SIGTERM") && !(await waitForExit(supervisor, 60_000))) {
    signalProcess(supervisor, "SIGKILL");
    await waitForExit(supervisor, 5_000);
  }
  // Those that a killed supervisor left behind.
  const { components } = readProcessTable(processes);
  const left = [...componentNames].reverse().filter((name) => isAlive(components[name]?.process));
  for (const name of left) await stopProcess(components[name]?.process);
  writeProcessTable(processes, { supervisor: undefined, components: {} });
  console.log(
    wasRunning || left.length > 0
      ? `The cluster ${cluster.name} is stopped; its data and its pods stay. picokube up starts it again.`
      : `The cluster ${cluster.name} was not running.`,
  );
}
