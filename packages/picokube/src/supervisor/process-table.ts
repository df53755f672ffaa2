// The supervisor's table of processes, kept in a file so that `status`, `down` and a supervisor that starts anew know
// what runs. The supervisor alone writes it.

import { readFileSync } from "node:fs";
import type { ProcessName } from "../cluster/cluster.js";
import { writeFileWhole } from "../cluster/cluster.js";
import type { ProcessIdentity } from "./process-identity.js";

export interface ProcessRow {
  readonly process: ProcessIdentity | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly restarts: number;
  /** Why it ended last: "exit code 1", "signal SIGKILL"; undefined when it never did. */
  readonly lastExit: string | undefined;
}

export interface ProcessTable {
  readonly supervisor: ProcessIdentity | undefined;
  readonly components: Readonly<Partial<Record<ProcessName, ProcessRow>>>;
}

const empty: ProcessTable = { supervisor: undefined, components: {} };

/** The table in that file; an empty one when there is none or it cannot be read. */
export function readProcessTable(path: string): ProcessTable {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ProcessTable;
  } catch {
    return empty;
  }
}

export function writeProcessTable(path: string, table: ProcessTable): void {
  writeFileWhole(path, JSON.stringify(table, null, 2));
}
