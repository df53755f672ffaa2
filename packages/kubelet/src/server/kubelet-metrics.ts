// The kubelet's own metrics under upstream's names, read from what it knows when somebody asks. Keeps no figures.

import type { Pod } from "@picokube/api/core/v1";
import type { Metrics } from "@picokube/component-base/metrics";
import type { PodLookup } from "../parts.js";
import { annotations } from "../static-pods/static-pod.js";

export interface MetricsSources {
  readonly nodeName: string;
  readonly lookup: Pick<PodLookup, "pods" | "state" | "status"> & {
    /** Those that have not ended. */
    active(): Pod[];
  };
}

/** Not from the API: a file's or a URL's. */
const isStatic = ({ metadata }: Pod) => (metadata.annotations?.[annotations.source] ?? "api") !== "api";

function byOrigin(pods: readonly Pod[]): readonly (readonly [string, number])[] {
  const count = pods.filter(isStatic).length;
  return [
    ["", pods.length - count],
    ["true", count],
  ];
}

/** Registers them: the node's name, and how many pods and containers run on it. */
export function registerKubeletMetrics(metrics: Metrics, { nodeName, lookup }: MetricsSources): void {
  const states = () => lookup.pods().flatMap(({ metadata }) => lookup.state(metadata.uid) ?? []);
  metrics.gauge<"node">({
    name: "kubelet_node_name",
    help: "[ALPHA] The node's name. The count is always 1.",
    labels: ["node"],
    collect: (gauge) => gauge.set({ node: nodeName }, 1),
  });
  metrics.gauge({
    name: "kubelet_running_pods",
    help: "[ALPHA] Number of pods that have a running pod sandbox",
    collect: (gauge) => gauge.set(states().filter(({ sandboxes }) => sandboxes.some(({ ready }) => ready)).length),
  });
  metrics.gauge<"container_state">({
    name: "kubelet_running_containers",
    help: "[ALPHA] Number of containers currently running",
    labels: ["container_state"],
    collect(gauge) {
      gauge.reset();
      for (const { containers } of states()) for (const { state } of containers) gauge.inc({ container_state: state });
    },
  });
  const pods = (name: string, help: string, of: () => readonly Pod[]) =>
    metrics.gauge<"static">({
      name,
      help: `[ALPHA] ${help} static is true if the pod is not from the apiserver.`,
      labels: ["static"],
      collect(gauge) {
        for (const [origin, count] of byOrigin(of())) gauge.set({ static: origin }, count);
      },
    });
  pods("kubelet_desired_pods", "The number of pods the kubelet is being instructed to run.", () => lookup.pods());
  pods(
    "kubelet_active_pods",
    "The number of pods the kubelet considers active and which are being considered when admitting new pods.",
    () => lookup.active(),
  );
  metrics.gauge({
    name: "kubelet_mirror_pods",
    help: "[ALPHA] The number of mirror pods the kubelet will try to create (one per admitted static pod)",
    collect: (gauge) => gauge.set(lookup.pods().filter(isStatic).length),
  });
  metrics.gauge({
    name: "kubelet_managed_ephemeral_containers",
    help: "[ALPHA] Current number of ephemeral containers in pods managed by this kubelet.",
    collect(gauge) {
      const count = lookup.pods().reduce((sum, { spec }) => sum + (spec?.ephemeralContainers?.length ?? 0), 0);
      gauge.set(count);
    },
  });
}
