// Ends a supervisor and everything it kept running, whether or not the supervisor still lives.

import { isAlive, signalProcess, waitForExit } from "./process-identity.js";
import { readProcessTable, writeProcessTable } from "./process-table.js";
import { stopProcess } from "./supervisor.js";

/** Resolves to whether anything ran. Idempotent. */
export async function stopSupervised(tablePath: string): Promise<boolean> {
  const { supervisor } = readProcessTable(tablePath);
  const wasRunning = isAlive(supervisor);
  if (signalProcess(supervisor, "SIGTERM") && !(await waitForExit(supervisor, 60_000))) {
    signalProcess(supervisor, "SIGKILL");
    await waitForExit(supervisor, 5_000);
  }
  // Those that a killed supervisor left behind.
  const left = Object.values(readProcessTable(tablePath).components)
    .reverse()
    .filter((row) => isAlive(row.process));
  for (const row of left) await stopProcess(row.process);
  writeProcessTable(tablePath, { supervisor: undefined, components: {} });
  return wasRunning || left.length > 0;
}
