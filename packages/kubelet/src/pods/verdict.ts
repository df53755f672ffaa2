// Why and until when: what the kubelet itself decided about a pod's end, and the times that follow from it. Pure.

import type { Pod, PodCondition, PodStatus } from "@picokube/api/core/v1";

/** Why the kubelet itself ended a pod. */
export interface Verdict {
  readonly phase: "Failed";
  readonly reason: string;
  readonly message: string;
  /** The node did not take the pod: it never had containers. */
  readonly refused?: boolean;
  /** How long its containers have at most, whatever the pod's own wish. */
  readonly graceSeconds?: number;
  /** Shown beside the kubelet's own: DisruptionTarget. */
  readonly conditions?: readonly PodCondition[];
}

const minGraceSeconds = 1;
const defaultGraceSeconds = 30;

/** Of a pod that was active for longer than its activeDeadlineSeconds. */
export const deadlineExceeded: Verdict = {
  phase: "Failed",
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
};

/** Until activeDeadlineSeconds are over; Infinity without them, or before the pod has started. status: newer than the pod's. */
export function deadlineLeftMs({ spec, ...pod }: Pod, status: PodStatus | undefined, nowMs: number): number {
  const startTime = status?.startTime ?? pod.status?.startTime;
  if (spec?.activeDeadlineSeconds === undefined || !startTime) return Number.POSITIVE_INFINITY;
  return Date.parse(startTime) + spec.activeDeadlineSeconds * 1000 - nowMs;
}

/** Upstream's calculateEffectiveGracePeriod: the shortest that anybody gave, at least a second. */
export function effectiveGraceSeconds({ metadata, spec }: Pod, verdict: Verdict | undefined): number {
  const told = [metadata.deletionGracePeriodSeconds, verdict?.graceSeconds];
  const shortest = Math.min(...told.map((seconds) => seconds ?? Number.POSITIVE_INFINITY));
  const own = spec?.terminationGracePeriodSeconds ?? defaultGraceSeconds;
  return Math.max(minGraceSeconds, Number.isFinite(shortest) ? shortest : own);
}
