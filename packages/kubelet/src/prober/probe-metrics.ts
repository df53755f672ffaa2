// How probes went, as /metrics/probes tells it: upstream's prober_probe_total and prober_probe_duration_seconds.

import type { Pod } from "@picokube/api/core/v1";
import { createMetrics, type Metrics } from "@picokube/component-base/metrics";

export type ProbeVerdict = "successful" | "failed" | "unknown";

export interface ProbedContainer {
  readonly pod: Pod;
  readonly container: string;
  /** "Liveness", "Readiness" or "Startup". */
  readonly type: string;
}

export interface ProbeMetrics {
  readonly metrics: Metrics;
  observe(probed: ProbedContainer, verdict: ProbeVerdict, durationMs: number): void;
  /** The container's probe is over: its series go. */
  forget(probed: ProbedContainer): void;
}

const verdicts: readonly ProbeVerdict[] = ["successful", "failed", "unknown"];

/** Metrics of their own, for they have a path of their own. */
export function createProbeMetrics(): ProbeMetrics {
  const metrics = createMetrics({ withProcess: false });
  const total = metrics.counter({
    name: "prober_probe_total",
    help: "[ALPHA] Cumulative number of a liveness, readiness or startup probe for a container by result.",
    labels: ["probe_type", "result", "container", "pod", "namespace", "pod_uid"],
  });
  const duration = metrics.histogram({
    name: "prober_probe_duration_seconds",
    help: "[ALPHA] Duration in seconds for a probe response.",
    labels: ["probe_type", "container", "pod", "namespace"],
  });
  const labelsOf = ({ pod, container, type }: ProbedContainer) => ({
    probe_type: type,
    container,
    pod: pod.metadata.name,
    namespace: pod.metadata.namespace ?? "default",
  });
  return {
    metrics,
    observe(probed, result, durationMs) {
      const labels = labelsOf(probed);
      total.inc({ ...labels, result, pod_uid: probed.pod.metadata.uid });
      // As upstream: how long a failure took is not told.
      if (result !== "failed") duration.observe(labels, durationMs / 1000);
    },
    forget(probed) {
      const labels = labelsOf(probed);
      for (const result of verdicts) total.remove({ ...labels, result, pod_uid: probed.pod.metadata.uid });
      duration.remove(labels);
    },
  };
}
