// How long pods take to start: from their creation, and from the kubelet's first sight of them, until the API shows all
// their containers started. Mirrors upstream's pod_startup_latency_tracker.go: pods that ran before are not counted.

import type { Pod } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Metrics } from "@picokube/component-base/metrics";
import type { ImageManager } from "../images/image-manager.js";

export interface PodStartLatency {
  /** The API's newest word on a pod of this node. */
  observe(pod: Pod): void;
  forget(podUid: string): void;
  /** The same manager; what it takes to have images is left out of a pod's start. */
  measured(images: ImageManager): ImageManager;
}

interface Start {
  readonly seenMs: number;
  pullsBeganMs?: number;
  pullsEndedMs?: number;
  told: boolean;
}

const buckets = [
  0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600,
];
const measuredUntil =
  "measured from pod creation timestamp to when all its containers are reported as started and observed via watch";

/** Upstream's hasPodStartedSLO. */
function hasStarted({ spec, status }: Pod): boolean {
  const shown = status?.containerStatuses ?? [];
  return shown.length > 0 && shown.length === spec?.containers.length && shown.every(({ state }) => state?.running);
}

/** Registers the three histograms. */
export function createPodStartLatency(metrics: Metrics, clock: Clock): PodStartLatency {
  const histogram = (name: string, help: string) => metrics.histogram({ name, help: `[ALPHA] ${help}`, buckets });
  const seen = histogram(
    "kubelet_pod_start_duration_seconds",
    "Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run",
  );
  const sli = histogram(
    "kubelet_pod_start_sli_duration_seconds",
    `Duration in seconds to start a pod, excluding time to pull images and run init containers, ${measuredUntil}`,
  );
  const total = histogram(
    "kubelet_pod_start_total_duration_seconds",
    `Duration in seconds to start a pod since creation, including time to pull images and run init containers, ${measuredUntil}`,
  );
  const starts = new Map<string, Start>();

  return {
    observe(pod) {
      const { uid, creationTimestamp } = pod.metadata;
      const nowMs = clock.now();
      const start = starts.get(uid) ?? { seenMs: nowMs, told: pod.status?.startTime !== undefined };
      starts.set(uid, start);
      if (start.told || !hasStarted(pod)) return;
      start.told = true;
      const sinceCreationMs = nowMs - Date.parse(creationTimestamp);
      const pullsMs = (start.pullsEndedMs ?? 0) - (start.pullsBeganMs ?? 0);
      seen.observe((nowMs - start.seenMs) / 1000);
      total.observe(sinceCreationMs / 1000);
      sli.observe(Math.max(0, sinceCreationMs - pullsMs) / 1000);
    },
    forget: (podUid) => void starts.delete(podUid),
    measured: (images) => ({
      async ensure(pod, container, signal) {
        const start = starts.get(pod.metadata.uid);
        if (start) start.pullsBeganMs ??= clock.now();
        try {
          return await images.ensure(pod, container, signal);
        } finally {
          if (start) start.pullsEndedMs = clock.now();
        }
      },
    }),
  };
}
