// Docker's stats documents as recorded on hosts of either cgroup version.

import type { ContainerStats } from "dockerode";
import { test } from "tap";
import { containerFigures } from "./figures.js";

const cpu = { total_usage: 5e9, usage_in_kernelmode: 1e9, usage_in_usermode: 4e9 };
const throttling_data = { periods: 7, throttled_periods: 2, throttled_time: 3e8 };
const entry = (op: string, value: number) => ({ major: 8, minor: 16, op, value });

const v1 = {
  cpu_stats: { cpu_usage: cpu, throttling_data },
  pids_stats: { current: 3 },
  memory_stats: {
    usage: 1000,
    max_usage: 2000,
    failcnt: 4,
    limit: 9000,
    stats: {
      total_inactive_file: 100,
      total_rss: 600,
      total_cache: 400,
      total_swap: 5,
      total_pgfault: 6,
      inactive_file: 1,
    },
  },
  blkio_stats: {
    io_service_bytes_recursive: [entry("Read", 4096), entry("Write", 8192), entry("Sync", 1), entry("Total", 12288)],
    io_serviced_recursive: [entry("Read", 1), entry("Write", 2), entry("Total", 3)],
  },
};

const v2 = {
  cpu_stats: { cpu_usage: cpu },
  pids_stats: {},
  memory_stats: {
    usage: 1000,
    limit: 9000,
    stats: { inactive_file: 300, anon: 500, file: 450, swap: 1, pgmajfault: 2 },
  },
  blkio_stats: { io_service_bytes_recursive: [entry("read", 512), entry("write", 0)], io_serviced_recursive: null },
};

test("figures of one container", async (t) => {
  const figuresOf = (stats: object) => containerFigures("c1", stats as ContainerStats);
  const device = { major: 8, minor: 16 };
  t.match(figuresOf(v1), {
    containerId: "c1",
    cpuNanos: 5e9,
    memoryBytes: 1000,
    memoryWorkingSetBytes: 900,
    processes: 3,
    details: {
      cpuUserNanos: 4e9,
      periods: 7,
      throttledNanos: 3e8,
      memoryRssBytes: 600,
      memoryCacheBytes: 400,
      memoryMaxBytes: 2000,
      memoryFailures: 4,
      swapBytes: 5,
      pageFaults: 6,
      deviceIo: [
        { ...device, operation: "Read", bytes: 4096, count: 1 },
        { ...device, operation: "Write", bytes: 8192, count: 2 },
      ],
    },
  });
  t.match(figuresOf(v2), {
    memoryWorkingSetBytes: 700,
    processes: 0,
    details: {
      periods: 0,
      memoryRssBytes: 500,
      memoryCacheBytes: 450,
      majorPageFaults: 2,
      deviceIo: [
        { ...device, operation: "Read", bytes: 512, count: 0 },
        { ...device, operation: "Write", bytes: 0, count: 0 },
      ],
    },
  });
  const none = figuresOf({ ...v2, blkio_stats: { io_service_bytes_recursive: null } });
  t.same(none.details?.deviceIo, []);
});
