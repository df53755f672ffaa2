// `picokube status`: what each process is doing. Reads the process table, /proc and the health endpoints.

import pc from "picocolors";
import { pathsOf, requireCluster } from "../cluster/cluster.js";
import { componentSpecs } from "../cluster/components.js";
import { probeHealth } from "../cluster/probe-health.js";
import { isAlive, residentBytes } from "../supervisor/process-identity.js";
import { readProcessTable } from "../supervisor/process-table.js";

/** Prints a row a process; returns whether all of them are well. */
export async function status(dataDir: string): Promise<boolean> {
  const cluster = requireCluster(dataDir);
  const { supervisor, components } = readProcessTable(pathsOf(cluster).processes);
  const rows = await Promise.all(
    componentSpecs(cluster).map(async ({ name, healthUrl, logFile }) => {
      const row = components[name];
      const alive = isAlive(row?.process);
      const health = alive ? await probeHealth(healthUrl) : { ok: false, words: row?.lastExit ?? "not running" };
      return { name, alive, health, logFile, row, pid: alive ? row!.process!.pid : undefined };
    }),
  );
  const cells = rows.map(({ name, health, logFile, row, pid }) => [
    name,
    pid === undefined ? "-" : String(pid),
    pid === undefined ? "-" : uptime(Date.now() - row!.startedAt),
    pid === undefined ? "-" : `${Math.round(residentBytes(pid) / 1024 / 1024)}Mi`,
    String(row?.restarts ?? 0),
    health.words,
    logFile,
  ]);
  const header = ["PROCESS", "PID", "UPTIME", "MEMORY", "RESTARTS", "HEALTH", "LOG"];
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  console.log(line(header));
  for (const [i, row] of cells.entries()) console.log(rows[i]!.health.ok ? line(row) : pc.red(line(row)));
  if (!isAlive(supervisor)) console.log(`\nNo supervisor runs: picokube up starts what is missing.`);
  return isAlive(supervisor) && rows.every(({ health }) => health.ok);
}

function uptime(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h` : `${Math.floor(hours / 24)}d`;
}
