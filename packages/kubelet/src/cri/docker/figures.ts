// From Docker's stats document to the runtime interface's figures, on cgroup v1 and v2. Pure.

import type { ContainerStats } from "dockerode";
import type { ContainerFigures, DeviceIo } from "../runtime.js";

/** What the typings leave out or call otherwise on one of the two cgroup versions. */
interface MemoryStats {
  readonly usage?: number;
  readonly max_usage?: number;
  readonly failcnt?: number;
  readonly limit?: number;
  readonly stats?: Readonly<Record<string, number | undefined>>;
}

interface BlkioEntry {
  readonly major: number;
  readonly minor: number;
  readonly op: string;
  readonly value: number;
}

interface BlkioStats {
  readonly io_service_bytes_recursive?: readonly BlkioEntry[] | null;
  readonly io_serviced_recursive?: readonly BlkioEntry[] | null;
}

/** cgroup v1 calls them Read and Write, v2 read and write; sums and other operations are left out. */
function deviceIo({ io_service_bytes_recursive: bytes, io_serviced_recursive: counts }: BlkioStats): DeviceIo[] {
  return (bytes ?? []).flatMap(({ major, minor, op, value }) => {
    const operation = ({ read: "Read", write: "Write" } as const)[op.toLowerCase()];
    if (!operation) return [];
    const count = counts?.find((entry) => entry.major === major && entry.minor === minor && entry.op === op);
    return [{ major, minor, operation, bytes: value, count: count?.value ?? 0 }];
  });
}

/** Figures of one container. */
export function containerFigures(containerId: string, stats: ContainerStats): ContainerFigures {
  const memory = stats.memory_stats as MemoryStats;
  const of = (...names: string[]) =>
    names.map((name) => memory.stats?.[name]).find((value) => value !== undefined) ?? 0;
  const { cpu_usage: cpu, throttling_data: throttling } = stats.cpu_stats;
  const usage = memory.usage ?? 0;
  return {
    containerId,
    cpuNanos: cpu.total_usage,
    memoryBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - of("total_inactive_file", "inactive_file")),
    processes: stats.pids_stats?.current ?? 0,
    details: {
      cpuUserNanos: cpu.usage_in_usermode,
      cpuSystemNanos: cpu.usage_in_kernelmode,
      periods: throttling?.periods ?? 0,
      throttledPeriods: throttling?.throttled_periods ?? 0,
      throttledNanos: throttling?.throttled_time ?? 0,
      memoryRssBytes: of("total_rss", "anon"),
      memoryCacheBytes: of("total_cache", "file"),
      memoryMaxBytes: memory.max_usage ?? 0,
      memoryFailures: memory.failcnt ?? 0,
      memoryLimitBytes: memory.limit ?? 0,
      swapBytes: of("total_swap", "swap"),
      pageFaults: of("total_pgfault", "pgfault"),
      majorPageFaults: of("total_pgmajfault", "pgmajfault"),
      deviceIo: deviceIo((stats.blkio_stats ?? {}) as BlkioStats),
    },
  };
}
