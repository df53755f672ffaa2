// What the kubelet's parts tell of their work as it happens, under upstream's names (pkg/kubelet/metrics). What can be read
// when somebody asks stands in server/kubelet-metrics.ts.

import type { Pod } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Metrics } from "@picokube/component-base/metrics";

/** What a pod's worker did: upstream's SyncPodType. */
export type PodOperation = "create" | "update" | "sync" | "kill";

export interface Instruments {
  podSynced(operation: PodOperation, durationMs: number): void;
  /** Counted as it is begun, whatever becomes of it. */
  containerStarting(pod: Pod, container: string): void;
  /** code: the reason that the container waits with. */
  containerFailed(pod: Pod, container: string, code: string): void;
  relisted(durationMs: number): void;
  /** signal: why; upstream's eviction_signal. */
  evicted(signal: string): void;
}

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Upstream's names of containers' kinds. */
export function containerType({ spec }: Pod, name: string): "container" | "init_container" | "ephemeral_container" {
  if (spec?.initContainers?.some((container) => container.name === name)) return "init_container";
  if (spec?.ephemeralContainers?.some((container) => container.name === name)) return "ephemeral_container";
  return "container";
}

/** Registers them. */
export function createInstruments(metrics: Metrics, clock: Clock): Instruments {
  const worker = metrics.histogram({
    name: "kubelet_pod_worker_duration_seconds",
    help: "[ALPHA] Duration in seconds to sync a single pod. Broken down by operation type: create, update, or sync",
    labels: ["operation_type"],
    buckets: defaultBuckets,
  });
  const started = metrics.counter({
    name: "kubelet_started_containers_total",
    help: "[ALPHA] Cumulative number of containers started",
    labels: ["container_type"],
  });
  const failed = metrics.counter({
    name: "kubelet_started_containers_errors_total",
    help: "[ALPHA] Cumulative number of errors when starting containers",
    labels: ["container_type", "code"],
  });
  const relistDuration = metrics.histogram({
    name: "kubelet_pleg_relist_duration_seconds",
    help: "[ALPHA] Duration in seconds for relisting pods in PLEG.",
    buckets: defaultBuckets,
  });
  const relistInterval = metrics.histogram({
    name: "kubelet_pleg_relist_interval_seconds",
    help: "[ALPHA] Interval in seconds between relisting in PLEG.",
    buckets: defaultBuckets,
  });
  const lastSeen = metrics.gauge({
    name: "kubelet_pleg_last_seen_seconds",
    help: "[ALPHA] Timestamp in seconds when PLEG was last seen active.",
  });
  const evictions = metrics.counter({
    name: "kubelet_evictions",
    help: "[ALPHA] Cumulative number of pod evictions by eviction signal",
    labels: ["eviction_signal"],
  });
  let relistedAtMs: number | undefined;
  return {
    podSynced: (operation, durationMs) => worker.observe({ operation_type: operation }, durationMs / 1000),
    containerStarting: (pod, container) => started.inc({ container_type: containerType(pod, container) }),
    containerFailed: (pod, container, code) => failed.inc({ container_type: containerType(pod, container), code }),
    relisted(durationMs) {
      const nowMs = clock.now();
      relistDuration.observe(durationMs / 1000);
      if (relistedAtMs !== undefined) relistInterval.observe((nowMs - relistedAtMs) / 1000);
      relistedAtMs = nowMs;
      lastSeen.set(nowMs / 1000);
    },
    evicted: (signal) => evictions.inc({ eviction_signal: signal }),
  };
}
