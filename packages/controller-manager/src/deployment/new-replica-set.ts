// The ReplicaSet of a Deployment's current template: found, kept up to date, or made. Upstream's getNewReplicaSet.

import { deployments, type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isAlreadyExists } from "@picokube/api/errors";
import { computeHash } from "@picokube/api/hash";
import { controllerOf, controllerRef } from "@picokube/api/owner";
import { findCondition } from "../conditions.js";
import { isNamespaceTerminating } from "../pod-control.js";
import { newReplicaSetAnnotations, podTemplateHashLabel, revisionAnnotation, withReplicas } from "./annotations.js";
import { hasProgressDeadline } from "./deployment-status.js";
import { fenceposts, findNewReplicaSet, maxRevision, oldReplicaSets, sameTemplate } from "./replica-sets.js";
import { newReplicaSetSize } from "./rollout-plan.js";
import type { ProgressingWords, RolloutState } from "./rollout-state.js";

/** The ReplicaSet of the Deployment's template, brought up to date; made when it is missing and create says so. Upstream's getNewReplicaSet. */
export async function newReplicaSet(
  state: RolloutState,
  { create }: { create: boolean },
): Promise<ReplicaSet | undefined> {
  const existing = findNewReplicaSet(state.deployment, state.replicaSets);
  const revision = maxRevision(oldReplicaSets(state.replicaSets, existing)) + 1;
  if (existing) return keepNewReplicaSet(state, existing, revision);
  return create ? createReplicaSet(state, revision) : undefined;
}

async function keepNewReplicaSet(state: RolloutState, existing: ReplicaSet, revision: number): Promise<ReplicaSet> {
  const deployment = state.deployment;
  const before = existing.metadata.annotations;
  const annotations = newReplicaSetAnnotations({ deployment, annotations: before, revision, exists: true });
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  let newest = existing;
  if (!semanticDeepEqual(annotations, before) || minReadySeconds !== (existing.spec?.minReadySeconds ?? 0))
    newest = await state.updateReplicaSet({
      ...existing,
      metadata: { ...existing.metadata, annotations },
      spec: { ...existing.spec!, minReadySeconds },
    });
  const isNews = hasProgressDeadline(deployment) && !findCondition(deployment.status?.conditions, "Progressing");
  const message = `Found new replica set "${newest.metadata.name}"`;
  const found: ProgressingWords = { status: "True", reason: "FoundNewReplicaSet", message };
  await state.setRevision(annotations[revisionAnnotation]!, isNews ? found : undefined);
  return newest;
}

async function createReplicaSet(state: RolloutState, revision: number): Promise<ReplicaSet | undefined> {
  const { client, recorder } = state.dependencies;
  const deployment = state.deployment;
  const { name, namespace } = deployment.metadata;
  const { template, selector, minReadySeconds = 0, replicas = 1 } = deployment.spec!;
  const hash = computeHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [podTemplateHashLabel]: hash };
  const size = newReplicaSetSize(deployment, state.replicaSets, undefined);
  const annotations = withReplicas(
    newReplicaSetAnnotations({ deployment, annotations: undefined, revision, exists: false }),
    { desired: replicas, max: replicas + fenceposts(deployment).maxSurge },
  );
  const replicaSetName = `${name}-${hash}`;
  let created: ReplicaSet;
  let existed = false;
  try {
    created = await client.create(replicasets, {
      metadata: {
        name: replicaSetName,
        namespace: namespace!,
        labels,
        annotations,
        ownerReferences: [controllerRef(deployment, deployments)],
      },
      spec: {
        replicas: size,
        minReadySeconds,
        selector: { ...selector, matchLabels: { ...selector.matchLabels, [podTemplateHashLabel]: hash } },
        template: { ...template, metadata: { ...template.metadata, labels } },
      },
    });
  } catch (error) {
    if (isNamespaceTerminating(error)) return undefined;
    existed = isAlreadyExists(error);
    if (existed) created = await foundUnderName(state, replicaSetName, error);
    else {
      const message = `Failed to create new replica set "${replicaSetName}": ${(error as Error).message}`;
      recorder.record(deployment, { type: "Warning", reason: "ReplicaSetCreateError", message });
      if (hasProgressDeadline(deployment))
        await state.setProgressing({ status: "False", reason: "ReplicaSetCreateError", message });
      throw error;
    }
  }
  state.replicaSets.push(created);
  if (!existed && size > 0)
    recorder.record(deployment, {
      type: "Normal",
      reason: "ScalingReplicaSet",
      message: `Scaled up replica set ${created.metadata.name} from 0 to ${size}`,
    });
  const message = `Created new replica set "${created.metadata.name}"`;
  const made: ProgressingWords = { status: "True", reason: "NewReplicaSetCreated", message };
  await state.setRevision(
    annotations[revisionAnnotation]!,
    !existed && hasProgressDeadline(deployment) ? made : undefined,
  );
  return created;
}

// Either our own of a moment ago, which the cache does not show yet, or another template of the same hash.
async function foundUnderName(state: RolloutState, name: string, cause: unknown): Promise<ReplicaSet> {
  const { client } = state.dependencies;
  const { namespace, uid } = state.deployment.metadata;
  const found = await client.get(replicasets, { name, namespace: namespace! });
  if (controllerOf(found)?.uid === uid && sameTemplate(found.spec?.template, state.deployment.spec?.template))
    return found;
  const collisionCount = (state.deployment.status?.collisionCount ?? 0) + 1;
  await state.writeStatus({ ...state.deployment.status, collisionCount });
  throw new Error(`found a hash collision for deployment ${namespace}/${state.deployment.metadata.name}`, { cause });
}
