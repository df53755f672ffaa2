// /stats/summary: upstream's stats/v1alpha1 Summary of the node and its pods. Disks are walked at most once a minute a
// container and volume, as upstream's resource analyzer does.

import { readFile } from "node:fs/promises";
import type { ContainerFigures, DiskFigures } from "../cri/runtime.js";
import { fileSystem } from "../node/machine.js";
import type { CpuRates } from "./cpu-rates.js";
import { systemContainers } from "./system-containers.js";
import {
  type ContainerUsage,
  networkOf,
  nodeUsage,
  type PodUsage,
  podUsages,
  type StatsSources,
  totalOf,
  type Usage,
} from "./usage.js";
import { volumeStats } from "./volume-stats.js";
import type { WalkedDisks } from "./walked-disks.js";

type Disk = Awaited<ReturnType<typeof fileSystem>>;

function fsOf(time: string, disk: Disk, used?: DiskFigures) {
  return {
    time,
    availableBytes: disk.availableBytes,
    capacityBytes: disk.capacityBytes,
    usedBytes: used?.bytes ?? disk.capacityBytes - disk.availableBytes,
    inodesFree: disk.inodesFree,
    inodes: disk.inodes,
    inodesUsed: used?.inodes ?? disk.inodes - disk.inodesFree,
  };
}

async function networkFigures(time: string, pid: number | "self") {
  const interfaces = await networkOf(pid);
  if (interfaces.length === 0) return {};
  const shown = interfaces.map(({ name, rxBytes, rxErrors, txBytes, txErrors }) => ({
    name,
    rxBytes,
    rxErrors,
    txBytes,
    txErrors,
  }));
  const main = shown.find(({ name }) => name === "eth0") ?? shown[0]!;
  return { network: { time, ...main, interfaces: shown } };
}

const cpuOf = ({ time, nanoCores }: Rated, { cpuNanos }: Pick<Usage, "cpuNanos">) => ({
  time,
  ...(nanoCores === undefined ? {} : { usageNanoCores: nanoCores }),
  usageCoreNanoSeconds: cpuNanos,
});

interface Rated {
  readonly time: string;
  /** Undefined until there are two readings. */
  readonly nanoCores: number | undefined;
}

function cpuAndMemory({ time, nanoCores }: Rated, usage: Usage, details?: ContainerFigures["details"]) {
  const limit = details?.memoryLimitBytes ?? 0;
  // Without a limit of its own a container has no memory "available".
  const limited = limit > 0 && limit < 2 ** 60;
  return {
    cpu: cpuOf({ time, nanoCores }, usage),
    memory: {
      time,
      ...(limited ? { availableBytes: Math.max(0, limit - usage.memoryWorkingSetBytes) } : {}),
      usageBytes: usage.memoryBytes,
      workingSetBytes: usage.memoryWorkingSetBytes,
      ...(details
        ? { rssBytes: details.memoryRssBytes, pageFaults: details.pageFaults, majorPageFaults: details.majorPageFaults }
        : {}),
    },
  };
}

const since = (ms: number) => new Date(ms).toISOString();
const noDisk: DiskFigures = { bytes: 0, inodes: 0 };
const sumOf = (disks: readonly DiskFigures[]): DiskFigures => ({
  bytes: disks.reduce((sum, { bytes }) => sum + bytes, 0),
  inodes: disks.reduce((sum, { inodes }) => sum + inodes, 0),
});

interface Places {
  readonly time: string;
  readonly nodeDisk: Disk;
  readonly imageDisk: Disk;
  readonly walked: WalkedDisks;
  readonly rates: CpuRates;
}

async function containerOf({ status, figures }: ContainerUsage, sources: StatsSources, places: Places) {
  const { time, nodeDisk, imageDisk, walked, rates } = places;
  const none = { rootfs: noDisk, logs: noDisk };
  const { rootfs, logs } = await walked
    .get(status.id, () => sources.runtime.containerDiskUsage(status.id))
    .catch(() => none);
  const shown = {
    name: status.name,
    startTime: since(status.startedAt),
    ...cpuAndMemory({ time, nanoCores: rates.nanoCores(status.id, figures.cpuNanos) }, figures, figures.details),
    rootfs: fsOf(time, imageDisk, rootfs),
    logs: fsOf(time, nodeDisk, logs),
    ...(figures.details ? { swap: { time, swapUsageBytes: figures.details.swapBytes } } : {}),
  };
  return { shown, used: sumOf([rootfs, logs]) };
}

async function podOf(usage: PodUsage, sources: StatsSources, places: Places) {
  const { time, nodeDisk } = places;
  const { name, namespace = "default", uid } = usage.pod.metadata;
  const containers = await Promise.all(usage.containers.map((one) => containerOf(one, sources, places)));
  // A negative period stands for: not at all.
  const { rootDir, volumeStatsAggPeriodMs } = sources.settings;
  const where = { rootDir, walked: places.walked };
  const statuses = usage.containers.map(({ status }) => status);
  const volumes = volumeStatsAggPeriodMs < 0 ? [] : await volumeStats(usage.pod, statuses, where);
  const ephemeral = sumOf([
    ...containers.map(({ used }) => used),
    ...volumes
      .filter(({ isLocal }) => isLocal)
      .map(({ usedBytes, inodesUsed }) => ({ bytes: usedBytes, inodes: inodesUsed })),
  ]);
  const total = totalOf(usage.containers);
  const processes = usage.containers.reduce((sum, { figures }) => sum + figures.processes, 0);
  return {
    podRef: { name, namespace, uid },
    startTime: since(usage.startedAt),
    containers: containers.map(({ shown }) => shown),
    ...cpuAndMemory({ time, nanoCores: places.rates.nanoCores(uid, total.cpuNanos) }, total),
    ...(usage.sandbox && !usage.pod.spec?.hostNetwork ? await networkFigures(time, usage.sandbox.pid) : {}),
    volume: volumes.map(({ isLocal: _, ...volume }) => ({ time, ...volume })),
    "ephemeral-storage": fsOf(time, nodeDisk, ephemeral),
    process_stats: { process_count: processes },
  };
}

async function rlimit(time: string) {
  const [most, load] = await Promise.all([
    readFile("/proc/sys/kernel/pid_max", "utf8").catch(() => "0"),
    readFile("/proc/loadavg", "utf8").catch(() => ""),
  ]);
  return { time, maxpid: Number(most), curproc: Number(/\d+\/(\d+)/.exec(load)?.[1] ?? 0) };
}

/** The whole answer. */
export async function statsSummary(
  sources: StatsSources,
  { walked, rates }: { walked: WalkedDisks; rates: CpuRates },
): Promise<unknown> {
  const { clock, settings, runtime } = sources;
  const time = since(clock.now());
  const [usages, node, nodeDisk, imageDir] = await Promise.all([
    podUsages(sources),
    nodeUsage(),
    fileSystem(settings.rootDir),
    runtime.imageDirectory().catch(() => settings.rootDir),
  ]);
  const imageDisk = await fileSystem(imageDir).catch(() => nodeDisk);
  const places = { time, nodeDisk, imageDisk, walked, rates };
  const uptimeSeconds = Number.parseFloat(await readFile("/proc/uptime", "utf8").catch(() => "0"));
  return {
    node: {
      nodeName: settings.nodeName,
      startTime: since(clock.now() - uptimeSeconds * 1000),
      systemContainers: (await systemContainers(sources)).map(({ name, startedAtMs, usage }) => ({
        name,
        startTime: since(startedAtMs),
        ...cpuAndMemory({ time, nanoCores: rates.nanoCores(`/${name}`, usage.cpuNanos) }, usage),
      })),
      cpu: cpuOf({ time, nanoCores: rates.nanoCores("/", node.cpuNanos) }, node),
      memory: {
        time,
        availableBytes: node.memoryAvailableBytes,
        usageBytes: node.memoryBytes,
        workingSetBytes: node.memoryWorkingSetBytes,
        rssBytes: node.memoryRssBytes,
        pageFaults: node.pageFaults,
        majorPageFaults: node.majorPageFaults,
      },
      ...(await networkFigures(time, "self")),
      fs: fsOf(time, nodeDisk),
      runtime: { imageFs: fsOf(time, imageDisk), containerFs: fsOf(time, imageDisk) },
      rlimit: await rlimit(time),
      swap: { time, swapAvailableBytes: node.swapFreeBytes, swapUsageBytes: node.swapTotalBytes - node.swapFreeBytes },
    },
    pods: await Promise.all(usages.map((usage) => podOf(usage, sources, places))),
  };
}
