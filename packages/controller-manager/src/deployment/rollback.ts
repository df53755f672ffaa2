// Rolls a Deployment back to the template of an older ReplicaSet when an annotation asks for it: the way of
// extensions/v1beta1. (kubectl rollout undo writes the template itself.) Upstream's rollback.go.

import { deployments, type ReplicaSet } from "@picokube/api/apps/v1";
import { podTemplateHashLabel, revisionOf, rollbackAnnotation, rolledBackAnnotations } from "./annotations.js";
import { newReplicaSet } from "./new-replica-set.js";
import { sameTemplate } from "./replica-sets.js";
import type { RolloutState } from "./rollout-state.js";

/** Whether there was such a wish: it has been carried out, or refused in an event, and is gone. */
export async function rollBack(state: RolloutState): Promise<boolean> {
  const wish = state.deployment.metadata.annotations?.[rollbackAnnotation];
  if (wish === undefined || !/^\d+$/.test(wish)) return false;
  await newReplicaSet(state, { create: true });
  const revision = Number(wish) || lastRevision(state.replicaSets);
  const target = state.replicaSets.find((replicaSet) => revision > 0 && revisionOf(replicaSet) === revision);
  const { name } = state.deployment.metadata;
  if (!target) {
    const message = revision === 0 ? "Unable to find last revision." : "Unable to find the revision to rollback to.";
    await forget(state);
    tell(state, { type: "Warning", reason: "DeploymentRollbackRevisionNotFound", message });
  } else if (sameTemplate(target.spec?.template, state.deployment.spec?.template)) {
    const message = `The rollback revision contains the same template as current deployment "${name}"`;
    await forget(state);
    tell(state, { type: "Warning", reason: "DeploymentRollbackTemplateUnchanged", message });
  } else {
    await forget(state, target);
    const message = `Rolled back deployment "${name}" to revision ${revision}`;
    tell(state, { type: "Normal", reason: "DeploymentRollback", message });
  }
  return true;
}

// The second highest. Upstream's LastRevision.
function lastRevision(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.map(revisionOf).sort((a, b) => b - a)[1] ?? 0;
}

async function forget(state: RolloutState, target?: ReplicaSet): Promise<void> {
  const deployment = state.deployment;
  const { [rollbackAnnotation]: _, ...annotations } = target
    ? rolledBackAnnotations({ deployment, target })
    : { ...deployment.metadata.annotations };
  const metadata = { ...deployment.metadata, annotations };
  const spec = target ? { ...deployment.spec!, template: withoutHash(target) } : deployment.spec!;
  state.deployment = await state.dependencies.client.update(deployments, { ...deployment, metadata, spec });
}

function withoutHash({ spec }: ReplicaSet): NonNullable<NonNullable<ReplicaSet["spec"]>["template"]> {
  const template = spec!.template!;
  const { [podTemplateHashLabel]: _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}

function tell(
  { dependencies, deployment }: RolloutState,
  words: { type: "Normal" | "Warning"; reason: string; message: string },
): void {
  dependencies.recorder.record(deployment, words);
}
