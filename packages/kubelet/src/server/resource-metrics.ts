// /metrics/resource: the few figures that metrics-server scrapes. Mirrors upstream's metrics/collectors/resource_metrics.go.

import { type MetricFamily, metricText } from "./metric-text.js";
import { nodeUsage, type PodUsage, podUsages, type StatsSources, totalOf, type Usage } from "./usage.js";

const cpu = "[STABLE] Cumulative cpu time consumed by the";
const memory = "[STABLE] Current working set of the";
const swap = "[ALPHA] Current amount of";
const notWindows = "Reported only on non-windows systems";

function samplesOf(pods: readonly PodUsage[]) {
  const podLabels = ({ pod }: PodUsage) => ({ namespace: pod.metadata.namespace ?? "default", pod: pod.metadata.name });
  return {
    containers: (value: (container: PodUsage["containers"][number]) => number): MetricFamily["samples"] =>
      pods.flatMap((usage) =>
        usage.containers.map(
          (container) => [{ container: container.status.name, ...podLabels(usage) }, value(container)] as const,
        ),
      ),
    podSwap: pods.map((usage) => {
      const bytes = usage.containers.reduce((sum, { figures }) => sum + (figures.details?.swapBytes ?? 0), 0);
      return [podLabels(usage), bytes] as const;
    }),
    pods: (value: (total: Usage) => number): MetricFamily["samples"] =>
      pods.map((usage) => [podLabels(usage), value(totalOf(usage.containers))] as const),
  };
}

/** The whole answer. */
export async function resourceMetrics(sources: StatsSources): Promise<string> {
  const [pods, node] = await Promise.all([podUsages(sources), nodeUsage()]);
  const samples = samplesOf(pods);
  const families: MetricFamily[] = [
    {
      name: "container_cpu_usage_seconds_total",
      type: "counter",
      help: `${cpu} container in core-seconds`,
      samples: samples.containers(({ figures }) => figures.cpuNanos / 1e9),
    },
    {
      name: "container_memory_working_set_bytes",
      type: "gauge",
      help: `${memory} container in bytes`,
      samples: samples.containers(({ figures }) => figures.memoryWorkingSetBytes),
    },
    {
      name: "container_start_time_seconds",
      type: "gauge",
      help: "[STABLE] Start time of the container since unix epoch in seconds",
      samples: samples.containers(({ status }) => status.startedAt / 1e3),
    },
    {
      name: "container_swap_usage_bytes",
      type: "gauge",
      help: `${swap} the container swap usage in bytes. ${notWindows}`,
      samples: samples.containers(({ figures }) => figures.details?.swapBytes ?? 0),
    },
    {
      name: "node_cpu_usage_seconds_total",
      type: "counter",
      help: `${cpu} node in core-seconds`,
      samples: [[{}, node.cpuNanos / 1e9]],
    },
    {
      name: "node_memory_working_set_bytes",
      type: "gauge",
      help: `${memory} node in bytes`,
      samples: [[{}, node.memoryWorkingSetBytes]],
    },
    {
      name: "node_swap_usage_bytes",
      type: "gauge",
      help: `[ALPHA] Current swap usage of the node in bytes. ${notWindows}`,
      samples: [[{}, node.swapTotalBytes - node.swapFreeBytes]],
    },
    {
      name: "pod_cpu_usage_seconds_total",
      type: "counter",
      help: `${cpu} pod in core-seconds`,
      samples: samples.pods(({ cpuNanos }) => cpuNanos / 1e9),
    },
    {
      name: "pod_memory_working_set_bytes",
      type: "gauge",
      help: `${memory} pod in bytes`,
      samples: samples.pods(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
    },
    {
      name: "pod_swap_usage_bytes",
      type: "gauge",
      help: `${swap} the pod swap usage in bytes. ${notWindows}`,
      samples: samples.podSwap,
    },
    {
      name: "resource_scrape_error",
      type: "gauge",
      help: "[STABLE] 1 if there was an error while getting container metrics, 0 otherwise",
      samples: [[{}, 0]],
    },
  ];
  return metricText(families, sources.clock.now());
}
