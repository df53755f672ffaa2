// What a ReplicaSet needs done and what its status is. Pure.

import type { ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "@picokube/api/apps/v1";
import type { Pod, ReplicationController } from "@picokube/api/core/v1";
import { isPodAvailable, isPodReady, isSidecar, podCondition } from "@picokube/api/pod";
import { selectorFromSet } from "@picokube/api/selectors/labels";
import { formatTime } from "@picokube/api/time";
import { withCondition, withoutCondition } from "../conditions.js";

const burstReplicas = 500;

export interface ReplicaPlan {
  readonly create: number;
  readonly delete: readonly Pod[];
}

/** How many pods to create, or which to delete. related are the active pods of all ReplicaSets of the same owner. */
export function planReplicaSet({
  desired,
  active,
  related,
  nowMs,
}: {
  desired: number;
  active: readonly Pod[];
  related: readonly Pod[];
  nowMs: number;
}): ReplicaPlan {
  const surplus = active.length - desired;
  if (surplus < 0) return { create: Math.min(-surplus, burstReplicas), delete: [] };
  if (surplus === 0) return { create: 0, delete: [] };
  const doomed = rankForDeletion({ pods: active, related, nowMs }).slice(0, Math.min(surplus, burstReplicas));
  return { create: 0, delete: doomed };
}

/** The pods in the order in which they would be missed least. Upstream's ActivePodsWithRanks. */
export function rankForDeletion({
  pods,
  related,
  nowMs,
}: {
  pods: readonly Pod[];
  related: readonly Pod[];
  nowMs: number;
}): Pod[] {
  const onNode = new Map<string, number>();
  for (const { spec } of related) if (spec?.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const phases = ["Pending", "Unknown", "Running"];
  const criteria: ((a: Pod, b: Pod) => number)[] = [
    by(({ spec }) => (spec?.nodeName ? 1 : 0)),
    by(({ status }) => phases.indexOf(status?.phase ?? "Pending")),
    by((pod) => (isPodReady(pod) ? 1 : 0)),
    by(({ metadata }) => Number(metadata.annotations?.["controller.kubernetes.io/pod-deletion-cost"] ?? 0) || 0),
    by(({ spec }) => -(onNode.get(spec?.nodeName ?? "") ?? 0)),
    (a, b) => (isPodReady(a) && isPodReady(b) ? byAge(a, b, { since: readySince, nowMs }) : 0),
    by((pod) => -restarts(pod.status?.containerStatuses)),
    by((pod) => -restarts(sidecarStatuses(pod))),
    (a, b) => byAge(a, b, { since: ({ metadata }) => metadata.creationTimestamp, nowMs }),
  ];
  return [...pods].sort((a, b) => {
    for (const criterion of criteria) {
      const difference = criterion(a, b);
      if (difference !== 0) return difference;
    }
    return byUid(a, b);
  });
}

const by = (value: (pod: Pod) => number) => (a: Pod, b: Pod) => value(a) - value(b);

const byUid = (a: Pod, b: Pod) => (a.metadata.uid < b.metadata.uid ? -1 : 1);

// Ages on a logarithmic scale: of pods that are about as old as each other, chance chooses (upstream: LogarithmicScaleDown).
function byAge(a: Pod, b: Pod, { since, nowMs }: { since: (pod: Pod) => string | undefined; nowMs: number }): number {
  if (since(a) === since(b)) return 0;
  return logAge(since(a), nowMs) - logAge(since(b), nowMs) || byUid(a, b);
}

function logAge(since: string | undefined, nowMs: number): number {
  const ageMs = nowMs - Date.parse(since ?? "");
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

function readySince(pod: Pod): string | undefined {
  return podCondition(pod.status, "Ready")?.lastTransitionTime;
}

function restarts(statuses: readonly { readonly restartCount: number }[] | undefined): number {
  return Math.max(0, ...(statuses ?? []).map(({ restartCount }) => restartCount));
}

function sidecarStatuses({ spec, status }: Pod) {
  const sidecars = new Set((spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name));
  return status?.initContainerStatuses?.filter(({ name }) => sidecars.has(name));
}

/** The status that these pods give; failure is what went wrong while creating or deleting. */
export function replicaSetStatus({
  owner,
  active,
  failure,
  nowMs,
}: {
  owner: ReplicaSet | ReplicationController;
  active: readonly Pod[];
  failure: { reason: "FailedCreate" | "FailedDelete"; message: string } | undefined;
  nowMs: number;
}): ReplicaSetStatus {
  const { spec, status, metadata } = owner;
  const template = selectorFromSet(spec?.template?.metadata?.labels);
  const minReadySeconds = spec?.minReadySeconds ?? 0;
  const current = status?.conditions as ReplicaSetCondition[] | undefined;
  const conditions = failure
    ? withCondition(current, {
        type: "ReplicaFailure",
        status: "True",
        lastTransitionTime: formatTime(nowMs),
        ...failure,
      } as ReplicaSetCondition)
    : withoutCondition(current, "ReplicaFailure");
  return {
    ...status,
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => template.matches(pod.metadata.labels)).length,
    readyReplicas: active.filter(isPodReady).length,
    availableReplicas: active.filter((pod) => isPodAvailable(pod, { minReadySeconds, nowMs })).length,
    observedGeneration: metadata.generation ?? 0,
    conditions,
  };
}
