// The annotations and labels by which a Deployment and its ReplicaSets tell each other their revision and size. Pure.

import type { Deployment, ReplicaSet } from "@picokube/api/apps/v1";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
/** What clients of extensions/v1beta1 ask a rollback by: the revision, 0 for the last one. */
export const rollbackAnnotation = "deprecated.deployment.rollback.to";
export const podTemplateHashLabel = "pod-template-hash";

// These belong to one of the two and are never copied from the Deployment.
const ownAnnotations = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  rollbackAnnotation,
]);

const maxHistoryLength = 2000;

/** The revision that an object carries, 0 when none. */
export function revisionOf({ metadata }: Deployment | ReplicaSet): number {
  return Number(metadata.annotations?.[revisionAnnotation] ?? 0) || 0;
}

/** A number kept in an annotation. */
export function annotatedCount({ metadata }: ReplicaSet, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The annotations with the size that the Deployment wants. Upstream's SetReplicasAnnotations. */
export function withReplicas(
  annotations: Readonly<Record<string, string>> | undefined,
  { desired, max }: { desired: number; max: number },
): Record<string, string> {
  return { ...annotations, [desiredReplicasAnnotation]: String(desired), [maxReplicasAnnotation]: String(max) };
}

/** What a Deployment's annotations are once it is rolled back to that ReplicaSet's. Upstream's SetDeploymentAnnotationsTo. */
export function rolledBackAnnotations({
  deployment,
  target,
}: {
  deployment: Deployment;
  target: ReplicaSet;
}): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (ownAnnotations.has(name)) result[name] = value;
  for (const [name, value] of Object.entries(target.metadata.annotations ?? {}))
    if (!ownAnnotations.has(name)) result[name] = value;
  return result;
}

/** What the newest ReplicaSet's annotations must be. Upstream's SetNewReplicaSetAnnotations. */
export function newReplicaSetAnnotations({
  deployment,
  annotations = {},
  revision,
  exists,
}: {
  deployment: Deployment;
  annotations: Readonly<Record<string, string>> | undefined;
  revision: number;
  exists: boolean;
}): Record<string, string> {
  const result: Record<string, string> = { ...annotations };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!ownAnnotations.has(name)) result[name] = value;
  const old = result[revisionAnnotation];
  if (old !== undefined && Number(old) >= revision) return result;
  result[revisionAnnotation] = String(revision);
  if (!exists || old === undefined) return result;
  const history = (result[revisionHistoryAnnotation] ?? "").split(",").filter(Boolean);
  history.push(old);
  while (history.join(",").length > maxHistoryLength && history.length > 1) history.shift();
  result[revisionHistoryAnnotation] = history.join(",");
  return result;
}
