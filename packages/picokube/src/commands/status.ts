// `picokube status`: what each process is doing. Reads the process table, /proc and the health endpoints.

import { pathsOf, requireCluster } from "../cluster/cluster.js";
import { componentSpecs } from "../cluster/components.js";
import { probeHealth } from "../cluster/probe-health.js";
import { isAlive, residentBytes } from "../supervisor/process-identity.js";
import { readProcessTable } from "../supervisor/process-table.js";
import { readVms } from "../vms/vm.js";
import { vmComponentSpecs } from "../vms/vm-components.js";
import { processTableOf } from "../vms/vm-lifecycle.js";
import { printTable } from "./print-table.js";

/** Prints a row a process; returns whether all of them are well. */
export async function status(dataDir: string): Promise<boolean> {
  const cluster = requireCluster(dataDir);
  const { supervisor, components } = readProcessTable(pathsOf(cluster).processes);
  const places = [
    ...componentSpecs(cluster).map((spec) => ({ ...spec, title: spec.name as string, row: components[spec.name] })),
    ...readVms(cluster).flatMap((vm) => {
      const table = readProcessTable(processTableOf(vm)).components;
      return vmComponentSpecs(cluster, vm).map((spec) => ({
        ...spec,
        title: `${vm.name}/${spec.name}`,
        row: table[spec.name],
      }));
    }),
  ];
  const rows = await Promise.all(
    places.map(async ({ title, healthUrl, logFile, row }) => {
      const alive = isAlive(row?.process);
      const health = alive ? await probeHealth(healthUrl) : { ok: false, words: row?.lastExit ?? "not running" };
      return { name: title, alive, health, logFile, row, pid: alive ? row!.process!.pid : undefined };
    }),
  );
  const cells = rows.map(({ name, health, logFile, row, pid }) => ({
    cells: [
      name,
      pid === undefined ? "-" : String(pid),
      pid === undefined ? "-" : uptime(Date.now() - row!.startedAt),
      pid === undefined ? "-" : `${Math.round(residentBytes(pid) / 1024 / 1024)}Mi`,
      String(row?.restarts ?? 0),
      health.words,
      logFile,
    ],
    isGood: health.ok,
  }));
  printTable(["PROCESS", "PID", "UPTIME", "MEMORY", "RESTARTS", "HEALTH", "LOG"], cells);
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
