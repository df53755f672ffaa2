// /metrics/cadvisor: what cAdvisor tells of containers, pods' networks and the machine, under its names and labels, as far
// as the engine's figures go.

import type { ContainerFigures } from "../cri/runtime.js";
import { diskFamilies } from "./cadvisor-disk.js";
import { machineFamilies, specFamilies } from "./cadvisor-spec.js";
import { type Measured, measuredOf, sandboxLabels } from "./cadvisor-subjects.js";
import { type MetricFamily, metricText } from "./metric-text.js";
import { type InterfaceFigures, networkOf, nodeUsage, podUsages, type StatsSources } from "./usage.js";
import type { WalkedDisks } from "./walked-disks.js";

type Labels = Readonly<Record<string, string>>;
type Details = NonNullable<ContainerFigures["details"]>;

const emptyLabels = { container: "", id: "/", image: "", name: "", namespace: "", pod: "" };

const detailFamilies: readonly [
  name: string,
  type: "counter" | "gauge",
  help: string,
  value: (of: Details) => number,
][] = [
  [
    "container_cpu_user_seconds_total",
    "counter",
    "Cumulative user cpu time consumed in seconds.",
    (of) => of.cpuUserNanos / 1e9,
  ],
  [
    "container_cpu_system_seconds_total",
    "counter",
    "Cumulative system cpu time consumed in seconds.",
    (of) => of.cpuSystemNanos / 1e9,
  ],
  ["container_cpu_cfs_periods_total", "counter", "Number of elapsed enforcement period intervals.", (of) => of.periods],
  [
    "container_cpu_cfs_throttled_periods_total",
    "counter",
    "Number of throttled period intervals.",
    (of) => of.throttledPeriods,
  ],
  [
    "container_cpu_cfs_throttled_seconds_total",
    "counter",
    "Total time duration the container has been throttled.",
    (of) => of.throttledNanos / 1e9,
  ],
  ["container_memory_rss", "gauge", "Size of RSS in bytes.", (of) => of.memoryRssBytes],
  ["container_memory_cache", "gauge", "Number of bytes of page cache memory.", (of) => of.memoryCacheBytes],
  ["container_memory_swap", "gauge", "Container swap usage in bytes.", (of) => of.swapBytes],
  ["container_memory_max_usage_bytes", "gauge", "Maximum memory usage recorded in bytes", (of) => of.memoryMaxBytes],
  ["container_memory_failcnt", "counter", "Number of memory usage hits limits", (of) => of.memoryFailures],
];

function containerFamilies(measured: readonly Measured[]): MetricFamily[] {
  const samples = (value: (one: Measured) => number, more: Labels = {}): MetricFamily["samples"] =>
    measured.map((one) => [{ ...one.labels, ...more }, value(one)] as const);
  const details = measured.filter(({ figures }) => figures.details);
  return [
    {
      name: "container_cpu_usage_seconds_total",
      type: "counter",
      help: "Cumulative cpu time consumed in seconds.",
      samples: samples(({ figures }) => figures.cpuNanos / 1e9, { cpu: "total" }),
    },
    {
      name: "container_memory_usage_bytes",
      type: "gauge",
      help: "Current memory usage in bytes, including all memory regardless of when it was accessed",
      samples: samples(({ figures }) => figures.memoryBytes),
    },
    {
      name: "container_memory_working_set_bytes",
      type: "gauge",
      help: "Current working set in bytes.",
      samples: samples(({ figures }) => figures.memoryWorkingSetBytes),
    },
    {
      name: "container_processes",
      type: "gauge",
      help: "Number of processes running inside the container.",
      samples: samples(({ figures }) => figures.processes),
    },
    {
      name: "container_start_time_seconds",
      type: "gauge",
      help: "Start time of the container since unix epoch in seconds.",
      samples: samples(({ startedAt }) => startedAt / 1e3),
    },
    ...detailFamilies.map(([name, type, help, value]) => ({
      name,
      type,
      help,
      samples: details.map(({ labels, figures }) => [labels, value(figures.details!)] as const),
    })),
  ];
}

const networkFields = [
  ["receive_bytes", "rxBytes", "Cumulative count of bytes received"],
  ["receive_packets", "rxPackets", "Cumulative count of packets received"],
  ["receive_errors", "rxErrors", "Cumulative count of errors encountered while receiving"],
  ["receive_packets_dropped", "rxDropped", "Cumulative count of packets dropped while receiving"],
  ["transmit_bytes", "txBytes", "Cumulative count of bytes transmitted"],
  ["transmit_packets", "txPackets", "Cumulative count of packets transmitted"],
  ["transmit_errors", "txErrors", "Cumulative count of errors encountered while transmitting"],
  ["transmit_packets_dropped", "txDropped", "Cumulative count of packets dropped while transmitting"],
] as const;

/** The whole answer; the machine itself is the container with the id "/". */
export async function cadvisorMetrics(sources: StatsSources, walked: WalkedDisks): Promise<string> {
  const { clock } = sources;
  const [pods, node, own] = await Promise.all([podUsages(sources), nodeUsage(), networkOf("self")]);
  const measured = pods.flatMap((usage) => measuredOf(usage, sources));
  const root: Measured = {
    labels: emptyLabels,
    figures: { containerId: "", processes: 0, ...node },
    startedAt: 0,
  };
  const networks: (readonly [Labels, readonly InterfaceFigures[]])[] = [[emptyLabels, own]];
  for (const usage of pods) {
    // A pod on the host's network has none of its own.
    if (!usage.sandbox || usage.pod.spec?.hostNetwork) continue;
    networks.push([sandboxLabels(usage, sources), await networkOf(usage.sandbox.pid)]);
  }
  const families: MetricFamily[] = [
    ...containerFamilies([root, ...measured]),
    ...networkFields.map(
      ([name, field, help]): MetricFamily => ({
        name: `container_network_${name}_total`,
        type: "counter",
        help,
        samples: networks.flatMap(([labels, interfaces]) =>
          interfaces.map((one) => [{ ...labels, interface: one.name }, one[field]] as const),
        ),
      }),
    ),
    ...specFamilies([root, ...measured], clock.now()),
    ...(await diskFamilies([root, ...measured], sources, walked)),
    ...(await machineFamilies()),
    {
      name: "container_scrape_error",
      type: "gauge",
      help: "1 if there was an error while getting container metrics, 0 otherwise",
      samples: [[{}, 0]],
    },
  ];
  return metricText(families, clock.now());
}
