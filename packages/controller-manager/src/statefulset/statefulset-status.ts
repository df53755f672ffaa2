// How a StatefulSet's pods are, one by one and in sum. Pure (upstream: stateful_set_control.go, stateful_set_utils.go).

import type { StatefulSet } from "@picokube/api/apps/v1";
import type { Pod } from "@picokube/api/core/v1";
import { isPodAvailable, isPodReady } from "@picokube/api/pod";
import { revisionOf } from "./identity.js";

export type StatefulSetStatus = NonNullable<StatefulSet["status"]>;

/** When a pod counts as available: after so long of being ready, as of now. */
export interface Availability {
  readonly minReadySeconds: number;
  readonly nowMs: number;
}

export function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isPodReady(pod);
}

/** Missing, on its way out, or not ready for long enough. Upstream's isUnavailable. */
export function isUnavailable(pod: Pod | undefined, availability: Availability): boolean {
  return !pod || isTerminating(pod) || !isRunningAndReady(pod) || !isPodAvailable(pod, availability);
}

/** What the status says of these pods; conditions stay. Upstream's updateStatus. */
export function statusOf({
  set,
  pods,
  current,
  update,
  collisionCount,
  nowMs,
}: {
  set: StatefulSet;
  pods: readonly Pod[];
  /** Names of revisions. */
  current: string;
  update: string;
  collisionCount: number;
  nowMs: number;
}): StatefulSetStatus {
  const availability = { minReadySeconds: set.spec?.minReadySeconds ?? 0, nowMs };
  const ready = pods.filter(isRunningAndReady);
  const staying = pods.filter((pod) => !isTerminating(pod));
  return {
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, availability)).length,
    currentReplicas: staying.filter((pod) => revisionOf(pod) === current).length,
    updatedReplicas: staying.filter((pod) => revisionOf(pod) === update).length,
    currentRevision: current,
    updateRevision: update,
    collisionCount,
  };
}

/** The status once an update is through: what was new is now what is. Upstream's completeRollingUpdate. */
export function withCompletion({ spec }: StatefulSet, status: StatefulSetStatus): StatefulSetStatus {
  const replicas = spec?.replicas ?? 1;
  const complete =
    spec?.updateStrategy?.type === "RollingUpdate" &&
    status.updatedReplicas === replicas &&
    status.readyReplicas === replicas &&
    status.replicas === replicas;
  if (!complete) return status;
  return { ...status, currentReplicas: status.updatedReplicas!, currentRevision: status.updateRevision! };
}

/** As Go writes it: these numbers are left out when they are 0. */
export function withoutZeros(status: StatefulSetStatus): StatefulSetStatus {
  const { readyReplicas, currentReplicas, updatedReplicas, ...always } = status;
  return {
    ...always,
    ...(readyReplicas ? { readyReplicas } : {}),
    ...(currentReplicas ? { currentReplicas } : {}),
    ...(updatedReplicas ? { updatedReplicas } : {}),
  };
}
