// /stats/summary and /metrics/resource: what pods and the node use, from the runtime's figures and /proc.

import { readFile } from "node:fs/promises";
import type { Clock } from "@picokube/component-base/clock";
import type { Runtime } from "../cri/runtime.js";
import { fileSystem, memInfoBytes } from "../node/machine.js";
import type { KubeletSettings, PodLookup } from "../parts.js";

export interface StatsSources {
  readonly lookup: PodLookup;
  readonly runtime: Runtime;
  readonly settings: Pick<KubeletSettings, "nodeName" | "rootDir">;
  readonly clock: Clock;
}

interface Usage {
  readonly cpuNanos: number;
  readonly memoryBytes: number;
  readonly memoryWorkingSetBytes: number;
}

const ticksPerSecond = 100;

/** All processors' busy time in nanoseconds out of /proc/stat: all but idle and iowait. */
export function busyNanos(procStat: string): number {
  const fields = procStat.split("\n")[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const busy = fields.reduce((sum, ticks, index) => (index === 3 || index === 4 ? sum : sum + ticks), 0);
  return (busy * 1e9) / ticksPerSecond;
}

async function nodeUsage(): Promise<Usage & { availableBytes: number }> {
  const [memInfo, procStat] = await Promise.all([readFile("/proc/meminfo", "utf8"), readFile("/proc/stat", "utf8")]);
  const total = memInfoBytes(memInfo, "MemTotal");
  const availableBytes = memInfoBytes(memInfo, "MemAvailable");
  return {
    cpuNanos: busyNanos(procStat),
    memoryBytes: total - memInfoBytes(memInfo, "MemFree"),
    memoryWorkingSetBytes: total - availableBytes,
    availableBytes,
  };
}

interface PodFigures {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly startedAt: number;
  readonly containers: readonly (Usage & { name: string; startedAt: number })[];
}

async function podFigures({ lookup, runtime }: StatsSources): Promise<PodFigures[]> {
  const usage = new Map((await runtime.stats()).map((figures) => [figures.containerId, figures]));
  return lookup.pods().map((pod) => {
    const running = (lookup.state(pod.metadata.uid)?.containers ?? []).filter(({ state }) => state === "running");
    return {
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? "default",
      uid: pod.metadata.uid,
      startedAt: Date.parse(lookup.status(pod.metadata.uid)?.startTime ?? pod.metadata.creationTimestamp),
      containers: running.flatMap(({ id, name, startedAt }) => {
        const figures = usage.get(id);
        return figures ? [{ ...figures, name, startedAt }] : [];
      }),
    };
  });
}

function total(usages: readonly Usage[]): Usage {
  const sum = (field: keyof Usage) => usages.reduce((all, usage) => all + usage[field], 0);
  return {
    cpuNanos: sum("cpuNanos"),
    memoryBytes: sum("memoryBytes"),
    memoryWorkingSetBytes: sum("memoryWorkingSetBytes"),
  };
}

/** stats/v1alpha1 Summary. */
export async function statsSummary(sources: StatsSources): Promise<unknown> {
  const { clock, settings } = sources;
  const time = new Date(clock.now()).toISOString();
  const [pods, node, disk] = await Promise.all([podFigures(sources), nodeUsage(), fileSystem(settings.rootDir)]);
  const figures = (usage: Usage) => ({
    cpu: { time, usageCoreNanoSeconds: usage.cpuNanos },
    memory: { time, usageBytes: usage.memoryBytes, workingSetBytes: usage.memoryWorkingSetBytes },
  });
  const since = (ms: number) => new Date(ms).toISOString();
  return {
    node: {
      nodeName: settings.nodeName,
      ...figures(node),
      fs: {
        time,
        capacityBytes: disk.capacityBytes,
        availableBytes: disk.availableBytes,
        usedBytes: disk.capacityBytes - disk.availableBytes,
        inodes: disk.inodes,
        inodesFree: disk.inodesFree,
      },
    },
    pods: pods.map((pod) => ({
      podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
      startTime: since(pod.startedAt),
      containers: pod.containers.map((container) => ({
        name: container.name,
        startTime: since(container.startedAt),
        ...figures(container),
      })),
      ...figures(total(pod.containers)),
    })),
  };
}

/** The text that metrics-server scrapes. */
export async function resourceMetrics(sources: StatsSources): Promise<string> {
  const [pods, node] = await Promise.all([podFigures(sources), nodeUsage()]);
  const nowMs = sources.clock.now();
  const lines: string[] = [];
  const metric = (name: string, type: string, help: string, samples: readonly [labels: string, value: number][]) => {
    lines.push(`# HELP ${name} [STABLE] ${help}`, `# TYPE ${name} ${type}`);
    for (const [labels, value] of samples) lines.push(`${name}${labels} ${value} ${nowMs}`);
  };
  const ofContainers = (value: (container: PodFigures["containers"][number]) => number) =>
    pods.flatMap((pod) =>
      pod.containers.map((container): [string, number] => [
        `{container="${container.name}",namespace="${pod.namespace}",pod="${pod.name}"}`,
        value(container),
      ]),
    );
  const ofPods = (value: (usage: Usage) => number) =>
    pods.map((pod): [string, number] => [
      `{namespace="${pod.namespace}",pod="${pod.name}"}`,
      value(total(pod.containers)),
    ]);
  const cpu = "Cumulative cpu time consumed by the";
  const memory = "Current working set of the";
  metric(
    "container_cpu_usage_seconds_total",
    "counter",
    `${cpu} container in core-seconds`,
    ofContainers(({ cpuNanos }) => cpuNanos / 1e9),
  );
  metric(
    "container_memory_working_set_bytes",
    "gauge",
    `${memory} container in bytes`,
    ofContainers(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
  );
  metric(
    "container_start_time_seconds",
    "gauge",
    "Start time of the container since unix epoch in seconds",
    ofContainers(({ startedAt }) => startedAt / 1e3),
  );
  metric("node_cpu_usage_seconds_total", "counter", `${cpu} node in core-seconds`, [["", node.cpuNanos / 1e9]]);
  metric("node_memory_working_set_bytes", "gauge", `${memory} node in bytes`, [["", node.memoryWorkingSetBytes]]);
  metric(
    "pod_cpu_usage_seconds_total",
    "counter",
    `${cpu} pod in core-seconds`,
    ofPods(({ cpuNanos }) => cpuNanos / 1e9),
  );
  metric(
    "pod_memory_working_set_bytes",
    "gauge",
    `${memory} pod in bytes`,
    ofPods(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
  );
  metric("resource_scrape_error", "gauge", "1 if there was an error while getting container metrics, 0 otherwise", [
    ["", 0],
  ]);
  return `${lines.join("\n")}\n`;
}
