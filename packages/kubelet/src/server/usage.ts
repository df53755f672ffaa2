// What pods and the node use, from the runtime's figures and /proc: the source of the summary and of the metrics that
// others scrape. Reads when asked; keeps nothing.

import { readFile } from "node:fs/promises";
import type { Pod } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { ContainerFigures, ContainerStatus, Runtime } from "../cri/runtime.js";
import { memInfoBytes } from "../node/machine.js";
import type { KubeletSettings, PodLookup } from "../parts.js";

export interface StatsSources {
  readonly lookup: PodLookup;
  readonly runtime: Runtime;
  readonly settings: Pick<
    KubeletSettings,
    "nodeName" | "rootDir" | "cgroupRoot" | "cgroupDriver" | "volumeStatsAggPeriodMs" | "cgroupsPerQos"
  >;
  readonly clock: Clock;
}

export interface Usage {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly memoryWorkingSetBytes: number;
}

export interface NodeUsage extends Usage {
  readonly memoryTotalBytes: number;
  readonly memoryAvailableBytes: number;
  readonly memoryRssBytes: number;
  readonly swapTotalBytes: number;
  readonly swapFreeBytes: number;
  readonly pageFaults: number;
  readonly majorPageFaults: number;
}

export interface ContainerUsage {
  readonly status: ContainerStatus;
  readonly figures: ContainerFigures;
}

export interface PodUsage {
  readonly pod: Pod;
  readonly startedAt: number;
  readonly containers: readonly ContainerUsage[];
  /** Of the ready sandbox. */
  readonly sandbox:
    | {
        readonly id: string;
        readonly attempt: number;
        readonly pid: number;
        readonly figures: ContainerFigures | undefined;
      }
    | undefined;
}

export interface InterfaceFigures {
  readonly name: string;
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

const ticksPerSecond = 100;

/** All processors' busy time in nanoseconds out of /proc/stat: all but idle and iowait. */
export function busyNanos(procStat: string): number {
  const fields = procStat.split("\n")[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const busy = fields.reduce((sum, ticks, index) => (index === 3 || index === 4 ? sum : sum + ticks), 0);
  return (busy * 1e9) / ticksPerSecond;
}

/** The interfaces of a /proc/<pid>/net/dev but loopback. */
export function interfaceFigures(netDev: string): InterfaceFigures[] {
  return netDev.split("\n").flatMap((line) => {
    const [, name = "", counts = ""] = /^\s*(\S+):\s*(.*)$/.exec(line) ?? [];
    if (name === "" || name === "lo") return [];
    const [rxBytes, rxPackets, rxErrors, rxDropped, , , , , txBytes, txPackets, txErrors, txDropped] = counts
      .split(/\s+/)
      .map(Number) as number[] as [number, number, number, number, 0, 0, 0, 0, number, number, number, number];
    return [{ name, rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }];
  });
}

/** Of the network namespace of a process; none when it has ended. */
export async function networkOf(pid: number | "self"): Promise<InterfaceFigures[]> {
  return interfaceFigures(await readFile(`/proc/${pid}/net/dev`, "utf8").catch(() => ""));
}

const vmStat = (text: string, field: string) => Number(new RegExp(`^${field} (\\d+)$`, "m").exec(text)?.[1] ?? 0);

/** The node's own. */
export async function nodeUsage(): Promise<NodeUsage> {
  const read = (path: string) => readFile(path, "utf8");
  const [memInfo, procStat, vm] = await Promise.all([
    read("/proc/meminfo"),
    read("/proc/stat"),
    read("/proc/vmstat").catch(() => ""),
  ]);
  const total = memInfoBytes(memInfo, "MemTotal");
  const available = memInfoBytes(memInfo, "MemAvailable");
  return {
    cpuNanos: busyNanos(procStat),
    memoryBytes: total - memInfoBytes(memInfo, "MemFree"),
    memoryWorkingSetBytes: total - available,
    memoryTotalBytes: total,
    memoryAvailableBytes: available,
    memoryRssBytes: memInfoBytes(memInfo, "AnonPages"),
    swapTotalBytes: memInfoBytes(memInfo, "SwapTotal"),
    swapFreeBytes: memInfoBytes(memInfo, "SwapFree"),
    pageFaults: vmStat(vm, "pgfault"),
    majorPageFaults: vmStat(vm, "pgmajfault"),
  };
}

/** Each pod's running containers with what they use. */
export async function podUsages({ lookup, runtime }: StatsSources): Promise<PodUsage[]> {
  const figures = new Map((await runtime.stats()).map((one) => [one.containerId, one]));
  return lookup.pods().map((pod) => {
    const { uid, creationTimestamp } = pod.metadata;
    const state = lookup.state(uid);
    const sandbox = state?.sandboxes.find(({ ready }) => ready);
    return {
      pod,
      startedAt: Date.parse(lookup.status(uid)?.startTime ?? creationTimestamp),
      containers: (state?.containers ?? []).flatMap((status) => {
        const found = status.state === "running" ? figures.get(status.id) : undefined;
        return found ? [{ status, figures: found }] : [];
      }),
      sandbox: sandbox && {
        id: sandbox.id,
        attempt: sandbox.attempt,
        pid: sandbox.pid,
        figures: figures.get(sandbox.id),
      },
    };
  });
}

/** The sum of what containers use. */
export function totalOf(containers: readonly ContainerUsage[]): Usage {
  const sum = (field: keyof Usage) => containers.reduce((all, { figures }) => all + figures[field], 0);
  return {
    cpuNanos: sum("cpuNanos"),
    memoryBytes: sum("memoryBytes"),
    memoryWorkingSetBytes: sum("memoryWorkingSetBytes"),
  };
}
