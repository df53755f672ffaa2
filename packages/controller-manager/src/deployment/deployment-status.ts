// A Deployment's status: numbers, Available and Progressing, with upstream's reasons and words. Pure.

import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "@picokube/api/apps/v1";
import { formatTime } from "@picokube/api/time";
import { findCondition, withCondition, withoutCondition } from "../conditions.js";
import { countedReplicas, fenceposts, isComplete, wantedReplicas } from "./replica-sets.js";

/** A condition as it stands from now on. */
export function newCondition({
  type,
  status,
  reason,
  message,
  nowMs,
}: {
  type: "Available" | "Progressing" | "ReplicaFailure";
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  nowMs: number;
}): DeploymentCondition {
  const now = formatTime(nowMs);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now };
}

/** What a status is worked out from. */
interface Observed {
  readonly deployment: Deployment;
  readonly replicaSets: readonly ReplicaSet[];
  /** That of the present template. */
  readonly newest: ReplicaSet | undefined;
  readonly nowMs: number;
}

/** Numbers and Available. Upstream's calculateStatus. */
export function calculateStatus({ deployment, replicaSets, newest, nowMs }: Observed): DeploymentStatus {
  const availableReplicas = countedReplicas(replicaSets, "availableReplicas");
  const needed = (deployment.spec?.replicas ?? 1) - fenceposts(deployment).maxUnavailable;
  const enough = availableReplicas >= needed;
  const available = newCondition({
    type: "Available",
    status: enough ? "True" : "False",
    reason: enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
    message: enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
    nowMs,
  });
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: countedReplicas(replicaSets, "replicas"),
    updatedReplicas: countedReplicas([newest], "replicas"),
    readyReplicas: countedReplicas(replicaSets, "readyReplicas"),
    availableReplicas,
    unavailableReplicas: Math.max(0, wantedReplicas(replicaSets) - availableReplicas),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: withCondition(deployment.status?.conditions, available),
  };
}

/** Whether a progress deadline was set: 2^31-1 means none. */
export function hasProgressDeadline({ spec }: Deployment): boolean {
  return spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2 ** 31 - 1;
}

/** The status with Progressing and ReplicaFailure brought up to date. Upstream's syncRolloutStatus. */
export function rolloutStatus({ deployment, replicaSets, newest, nowMs }: Observed): DeploymentStatus {
  const status = calculateStatus({ deployment, replicaSets, newest, nowMs });
  let conditions = status.conditions;
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const current = findCondition(deployment.status?.conditions, "Progressing");
  const settled = status.replicas === status.updatedReplicas && current?.reason === "NewReplicaSetAvailable";
  if (hasProgressDeadline(deployment) && !settled) {
    const subject = newest ? `ReplicaSet "${newest.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
    const progressing = (state: "True" | "False", reason: string, words: string) =>
      newCondition({ type: "Progressing", status: state, reason, message: `${subject} ${words}`, nowMs });
    if (isComplete(deployment, status))
      conditions = withCondition(
        conditions,
        progressing("True", "NewReplicaSetAvailable", "has successfully progressed."),
      );
    else if (hasProgressed(deployment, status)) {
      const condition = progressing("True", "ReplicaSetUpdated", "is progressing.");
      // Progress counts from its last sign, so the update time moves even where nothing else does.
      const sameStatus = current?.status === "True" && current.lastTransitionTime !== undefined;
      const kept = sameStatus ? { ...condition, lastTransitionTime: current.lastTransitionTime } : condition;
      conditions = [...withoutCondition(conditions, "Progressing"), kept as DeploymentCondition];
    } else if (hasTimedOut(deployment, status, nowMs))
      conditions = withCondition(
        conditions,
        progressing("False", "ProgressDeadlineExceeded", "has timed out progressing."),
      );
  }
  conditions = withFailure(conditions, replicaSets, newest);
  return { ...status, ...(conditions ? { conditions } : {}) };
}

function withFailure(
  conditions: DeploymentCondition[] | undefined,
  replicaSets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
): DeploymentCondition[] | undefined {
  const failed = [newest, ...replicaSets]
    .map((replicaSet) => findCondition(replicaSet?.status?.conditions, "ReplicaFailure"))
    .find((condition) => condition !== undefined);
  if (!failed) return withoutCondition(conditions, "ReplicaFailure");
  return withCondition(conditions, { ...failed, lastUpdateTime: failed.lastTransitionTime } as DeploymentCondition);
}

/** Whether more new pods, fewer old ones or more available ones exist than before. Upstream's DeploymentProgressing. */
function hasProgressed(deployment: Deployment, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const old = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas;
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(next) < old(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** Whether no sign of progress came within the deadline. Upstream's DeploymentTimedOut. */
function hasTimedOut(deployment: Deployment, status: DeploymentStatus, nowMs: number): boolean {
  if (!hasProgressDeadline(deployment)) return false;
  const condition = findCondition(status.conditions, "Progressing");
  if (!condition || condition.reason === "NewReplicaSetAvailable") return false;
  if (condition.reason === "ProgressDeadlineExceeded") return true;
  const fromMs = Date.parse(condition.lastUpdateTime ?? "");
  return fromMs + deployment.spec!.progressDeadlineSeconds! * 1000 < nowMs;
}

/** When to look again for a missed deadline, in ms; undefined when there is none to miss. */
export function deadlineCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = findCondition(status.conditions, "Progressing");
  if (!hasProgressDeadline(deployment) || !condition) return undefined;
  if (isComplete(deployment, status) || condition.reason === "ProgressDeadlineExceeded") return undefined;
  const dueMs = Date.parse(condition.lastUpdateTime ?? "") + deployment.spec!.progressDeadlineSeconds! * 1000;
  return Math.max(1000, dueMs - nowMs + 1000);
}
