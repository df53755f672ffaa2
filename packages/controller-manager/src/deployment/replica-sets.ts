// A Deployment's ReplicaSets sorted out: which is the new one, which are old, how many pods they stand for. Pure.

import type { Deployment, ReplicaSet } from "@picokube/api/apps/v1";
import type { PodTemplateSpec } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { getScaledValueFromIntOrPercent } from "@picokube/api/int-or-string";
import { podTemplateHashLabel, revisionOf } from "./annotations.js";

/** Whether two templates make the same pods, pod-template-hash aside. Upstream's EqualIgnoreHash. */
export function sameTemplate(left: PodTemplateSpec | undefined, right: PodTemplateSpec | undefined): boolean {
  return semanticDeepEqual(withoutHash(left), withoutHash(right));
}

function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec | undefined {
  if (!template?.metadata?.labels) return template;
  const { [podTemplateHashLabel]: _, ...labels } = template.metadata.labels;
  return { ...template, metadata: { ...template.metadata, labels } };
}

/** Oldest first, by name where the times agree. */
export function byCreation(a: ReplicaSet, b: ReplicaSet): number {
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}

/** The ReplicaSet of the Deployment's template, the oldest should there be several. */
export function findNewReplicaSet(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return [...replicaSets].sort(byCreation).find(({ spec }) => sameTemplate(spec?.template, deployment.spec?.template));
}

/** All but the new one. */
export function oldReplicaSets(replicaSets: readonly ReplicaSet[], newest: ReplicaSet | undefined): ReplicaSet[] {
  return replicaSets.filter(({ metadata }) => metadata.uid !== newest?.metadata.uid);
}

/** The highest revision among them. */
export function maxRevision(replicaSets: readonly ReplicaSet[]): number {
  return Math.max(0, ...replicaSets.map(revisionOf));
}

/** Those that want pods. */
export function active(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return replicaSets.filter(({ spec }) => (spec?.replicas ?? 1) > 0);
}

/** The sum of spec.replicas. */
export function wantedReplicas(replicaSets: readonly (ReplicaSet | undefined)[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet ? (replicaSet.spec?.replicas ?? 1) : 0), 0);
}

type Counted = "replicas" | "readyReplicas" | "availableReplicas";

/** The sum of one number of their statuses. */
export function countedReplicas(replicaSets: readonly (ReplicaSet | undefined)[], field: Counted): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet?.status?.[field] ?? 0), 0);
}

export interface Fenceposts {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** How many pods there may be above, and be missing below, the Deployment's size. Upstream's ResolveFenceposts. */
export function fenceposts(deployment: Deployment): Fenceposts {
  const { strategy, replicas = 1 } = deployment.spec ?? {};
  if (strategy?.type === "Recreate" || replicas === 0) return { maxSurge: 0, maxUnavailable: 0 };
  const rolling = strategy?.rollingUpdate;
  const maxSurge = getScaledValueFromIntOrPercent(rolling?.maxSurge ?? "25%", { total: replicas, roundUp: true });
  const unavailable = getScaledValueFromIntOrPercent(rolling?.maxUnavailable ?? "25%", {
    total: replicas,
    roundUp: false,
  });
  // Both zero would let nothing move.
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

/** Whether the rollout is over: everything is of the new template and available. Upstream's DeploymentComplete. */
export function isComplete(deployment: Deployment, status: NonNullable<Deployment["status"]>): boolean {
  const replicas = deployment.spec?.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}
