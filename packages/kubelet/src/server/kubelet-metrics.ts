// The kubelet's own metrics under upstream's names, read from what it knows when somebody asks. Keeps no figures.

import type { Metrics } from "@picokube/component-base/metrics";
import type { PodLookup } from "../parts.js";

/** Registers them: the node's name, and how many pods and containers run on it. */
export function registerKubeletMetrics(
  metrics: Metrics,
  { nodeName, lookup }: { nodeName: string; lookup: Pick<PodLookup, "pods" | "state"> },
): void {
  const states = () => lookup.pods().flatMap(({ metadata }) => lookup.state(metadata.uid) ?? []);
  metrics.gauge<"node">({
    name: "kubelet_node_name",
    help: "The node's name. The count is always 1.",
    labels: ["node"],
    collect: (gauge) => gauge.set({ node: nodeName }, 1),
  });
  metrics.gauge({
    name: "kubelet_running_pods",
    help: "Number of pods that have a running pod sandbox",
    collect: (gauge) => gauge.set(states().filter(({ sandboxes }) => sandboxes.some(({ ready }) => ready)).length),
  });
  metrics.gauge<"container_state">({
    name: "kubelet_running_containers",
    help: "Number of containers currently running",
    labels: ["container_state"],
    collect(gauge) {
      gauge.reset();
      for (const { containers } of states()) for (const { state } of containers) gauge.inc({ container_state: state });
    },
  });
}
