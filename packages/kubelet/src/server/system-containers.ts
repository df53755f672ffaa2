// What of the node's use is the kubelet's own, and what all pods together: upstream's systemContainers of the summary.
// Reads when asked.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { cgroupMountPoint, podsCgroup } from "../cgroups/pod-cgroup.js";
import { cgroupMemory } from "../eviction/observe-node.js";
import type { StatsSources, Usage } from "./usage.js";

export interface SystemContainer {
  readonly name: "kubelet" | "pods";
  readonly startedAtMs: number;
  readonly usage: Usage;
}

/** Nanoseconds of a cgroup's files, of v1 or of v2; undefined when neither is there. */
export async function cgroupCpuNanos(path: string, mountPoint = cgroupMountPoint): Promise<number | undefined> {
  const read = (...parts: string[]) => readFile(join(mountPoint, ...parts), "utf8").catch(() => undefined);
  const usage = await read("cpuacct", path, "cpuacct.usage");
  if (usage !== undefined) return Number(usage);
  const micros = /^usage_usec (\d+)$/m.exec((await read(path, "cpu.stat")) ?? "")?.[1];
  return micros === undefined ? undefined : Number(micros) * 1000;
}

/** Of all pods; undefined where they have no cgroup of their own. */
async function podsUsage({ settings }: StatsSources): Promise<Usage | undefined> {
  if (!settings.cgroupsPerQos) return undefined;
  const path = podsCgroup({ driver: settings.cgroupDriver ?? "cgroupfs", root: settings.cgroupRoot });
  const [cpuNanos, memory] = await Promise.all([cgroupCpuNanos(path), cgroupMemory(path)]);
  if (cpuNanos === undefined || !memory) return undefined;
  return { cpuNanos, memoryBytes: memory.usage, memoryWorkingSetBytes: memory.workingSet };
}

/** The kubelet's process, and the pods. */
export async function systemContainers(sources: StatsSources): Promise<SystemContainer[]> {
  const { user, system } = process.cpuUsage();
  const bytes = process.memoryUsage.rss();
  const own: Usage = { cpuNanos: (user + system) * 1000, memoryBytes: bytes, memoryWorkingSetBytes: bytes };
  const startedAtMs = sources.clock.now() - process.uptime() * 1000;
  const pods = await podsUsage(sources);
  return [
    { name: "kubelet", startedAtMs, usage: own },
    ...(pods ? [{ name: "pods" as const, startedAtMs, usage: pods }] : []),
  ];
}
