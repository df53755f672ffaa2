// cAdvisor's families of what containers may use, when they were seen, and of the machine. Pure but for the machine's
// topology, read when asked.

import { readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { memInfoBytes, readMachine } from "../node/machine.js";
import type { Measured } from "./cadvisor-subjects.js";
import type { MetricFamily } from "./metric-text.js";

/** Each container's limits as the engine holds them; the times of all. */
export function specFamilies(measured: readonly Measured[], nowMs: number): MetricFamily[] {
  const gauge = (name: string, help: string, value: (one: Measured) => number | undefined): MetricFamily => ({
    name,
    type: "gauge",
    help,
    samples: measured.flatMap((one) => {
      const found = value(one);
      return found === undefined ? [] : [[one.labels, found] as const];
    }),
  });
  const quota = ({ resources }: Measured) => resources?.cpuQuotaUs || undefined;
  return [
    gauge("container_last_seen", "Last time a container was seen by the exporter", () => Math.floor(nowMs / 1000)),
    gauge("container_spec_cpu_period", "CPU period of the container.", (one) =>
      one.resources ? one.resources.cpuPeriodUs || 100_000 : undefined,
    ),
    gauge("container_spec_cpu_quota", "CPU quota of the container.", quota),
    gauge("container_spec_cpu_shares", "CPU share of the container.", ({ resources }) => resources?.cpuShares),
    gauge("container_spec_memory_limit_bytes", "Memory limit for the container.", ({ resources }) =>
      resources ? (resources.memoryLimitBytes ?? 0) : undefined,
    ),
    gauge("container_spec_memory_reservation_limit_bytes", "Memory reservation limit for the container.", (one) =>
      one.resources ? 0 : undefined,
    ),
    gauge("container_spec_memory_swap_limit_bytes", "Memory swap limit for the container.", (one) =>
      one.resources ? (one.resources.memoryLimitBytes ?? 0) : undefined,
    ),
  ];
}

/** Cores and sockets of a /proc/cpuinfo; where it tells none, each processor is a core of one socket. */
export function topology(cpuInfo: string): { cores: number; sockets: number } {
  const processors = cpuInfo.split("\n\n").filter((block) => /^processor\s*:/m.test(block));
  const field = (block: string, name: string) => new RegExp(`^${name}\\s*:\\s*(\\d+)`, "m").exec(block)?.[1];
  const sockets = new Set(processors.map((block) => field(block, "physical id") ?? "0"));
  const cores = new Set(
    processors.map((block, index) => `${field(block, "physical id") ?? "0"}/${field(block, "core id") ?? index}`),
  );
  return { cores: Math.max(1, cores.size), sockets: Math.max(1, sockets.size) };
}

/** The machine, labelled by what it is known by. */
export async function machineFamilies(): Promise<MetricFamily[]> {
  const [machine, memInfo, cpuInfo] = await Promise.all([
    readMachine(),
    readFile("/proc/meminfo", "utf8"),
    readFile("/proc/cpuinfo", "utf8").catch(() => ""),
  ]);
  const labels = { boot_id: machine.bootID, machine_id: machine.machineID, system_uuid: machine.systemUUID };
  const { cores, sockets } = topology(cpuInfo);
  const gauge = (name: string, help: string, value: number): MetricFamily => ({
    name,
    type: "gauge",
    help,
    samples: [[labels, value]],
  });
  return [
    gauge("machine_cpu_cores", "Number of logical CPU cores.", cpus().length),
    gauge("machine_cpu_physical_cores", "Number of physical CPU cores.", cores),
    gauge("machine_cpu_sockets", "Number of CPU sockets.", sockets),
    gauge("machine_memory_bytes", "Amount of memory installed on the machine.", totalmem()),
    gauge("machine_swap_bytes", "Amount of swap memory available on the machine.", memInfoBytes(memInfo, "SwapTotal")),
    {
      name: "cadvisor_version_info",
      type: "gauge",
      help: "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & cadvisor revision.",
      samples: [[{ kernelVersion: machine.kernelVersion, osVersion: machine.osImage }, 1]],
    },
  ];
}
