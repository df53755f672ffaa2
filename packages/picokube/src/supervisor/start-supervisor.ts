// Leaves a supervisor behind: `picokube supervise` as a process of its own, which outlives the command that started it.

import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { poll } from "../steps/poll.js";
import { identify, isAlive } from "./process-identity.js";
import { readProcessTable } from "./process-table.js";

export interface SupervisorPlace {
  /** Words after `picokube supervise`. */
  readonly args: readonly string[];
  /** The table it will write. */
  readonly tablePath: string;
  readonly logDir: string;
}

/** Resolves once it runs; at once when it already does. */
export async function startSupervisor({ args, tablePath, logDir }: SupervisorPlace): Promise<void> {
  if (isAlive(readProcessTable(tablePath).supervisor)) return;
  mkdirSync(dirname(tablePath), { recursive: true });
  mkdirSync(logDir, { recursive: true });
  const logFile = join(logDir, "picokube.log");
  const log = openSync(logFile, "a", 0o640);
  const child = spawn(process.execPath, [process.argv[1]!, "supervise", ...args], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  await poll("the supervisor did not start", 10_000, async () => {
    if (child.pid === undefined || !identify(child.pid)) throw new Error(`it ended at once: see ${logFile}`);
    return readProcessTable(tablePath).supervisor?.pid === child.pid ? undefined : "it has not written its table yet";
  });
}
