// In which groups, and with how much time each, pods go when the node shuts down: the least important first. Mirrors
// upstream's migrateConfig and groupByPriority. Pure.

import type { Pod } from "@picokube/api/core/v1";
import { systemCriticalPriority } from "@picokube/api/pod";

/** Pods from this priority up to the next have so long. */
export interface ShutdownPeriod {
  readonly priority: number;
  readonly shutdownGracePeriodSeconds: number;
}

export interface ShutdownConfig {
  readonly gracePeriodMs: number;
  /** The last part of it, for critical pods. */
  readonly criticalPodsMs: number;
  readonly byPodPriority: readonly ShutdownPeriod[];
}

/** Lowest priority first; empty where shutdown takes no notice of pods. */
export function shutdownPeriods({ gracePeriodMs, criticalPodsMs, byPodPriority }: ShutdownConfig): ShutdownPeriod[] {
  if (byPodPriority.length > 0) return [...byPodPriority].sort((a, b) => a.priority - b.priority);
  if (gracePeriodMs === 0 || criticalPodsMs > gracePeriodMs) return [];
  return [
    { priority: 0, shutdownGracePeriodSeconds: Math.trunc((gracePeriodMs - criticalPodsMs) / 1000) },
    { priority: systemCriticalPriority, shutdownGracePeriodSeconds: Math.trunc(criticalPodsMs / 1000) },
  ];
}

export interface ShutdownGroup extends ShutdownPeriod {
  readonly pods: readonly Pod[];
}

/** The periods with their pods; those below the lowest go with it. */
export function groupByPriority(periods: readonly ShutdownPeriod[], pods: readonly Pod[]): ShutdownGroup[] {
  const indexOf = ({ spec }: Pod) =>
    Math.max(
      0,
      periods.findLastIndex(({ priority }) => priority <= (spec?.priority ?? 0)),
    );
  return periods.map((period, index) => ({ ...period, pods: pods.filter((pod) => indexOf(pod) === index) }));
}

/** The group's time, or the pod's own where that is less. */
export function graceOf({ spec }: Pod, { shutdownGracePeriodSeconds }: ShutdownPeriod): number {
  return Math.min(spec?.terminationGracePeriodSeconds ?? Number.POSITIVE_INFINITY, shutdownGracePeriodSeconds);
}
