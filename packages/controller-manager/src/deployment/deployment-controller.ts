// Rolls each Deployment's template out through ReplicaSets.
// Watches: Deployments, ReplicaSets, Pods. Writes: ReplicaSets, Deployment status and revision annotation.

import { deployments, type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { controllerOf, controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped, self } from "@picokube/client/watch-sources";
import { claim } from "../claim.js";
import type { Dependencies } from "../dependencies.js";
import { claimable, indexByOwner, ownedBy } from "../owned-pods.js";
import { deadlineCheckMs } from "./deployment-status.js";
import { Rollout } from "./rollout.js";

/** Upstream's deployment-controller. */
export function deploymentController({ client, informers, clock, recorder: recorderOf }: Dependencies): Controller {
  const deploymentInformer = informers.for(deployments);
  const replicaSetInformer = informers.for(replicasets);
  const podInformer = informers.for(pods);
  const recorder = recorderOf("deployment-controller");
  indexByOwner(replicaSetInformer);
  indexByOwner(podInformer);

  async function reconcile(key: ObjectKey) {
    const deployment = deploymentInformer.get(key);
    if (!deployment) return;
    const selector = selectorFromLabelSelector(deployment.spec?.selector);
    if (selector.empty) {
      const message = "This deployment is selecting all pods. A non-empty selector is required.";
      recorder.record(deployment, { type: "Warning", reason: "SelectingAll", message });
      return;
    }
    const replicaSets = await claim({
      client,
      resource: replicasets,
      owner: deployment,
      ownerResource: deployments,
      reference: controllerRef(deployment, deployments),
      selector,
      candidates: claimable(replicaSetInformer, deployment),
    });
    const owned = replicaSets.flatMap(({ metadata }) => ownedBy(podInformer, metadata.uid));
    const rollout = new Rollout({ client, recorder, clock }, { deployment, replicaSets, pods: owned });
    const current = await rollout.step();
    const requeueAfterMs = current.spec?.paused
      ? undefined
      : deadlineCheckMs(current, current.status ?? {}, clock.now());
    return requeueAfterMs === undefined ? undefined : { requeueAfterMs };
  }

  function ownersOfReplicaSet(replicaSet: ReplicaSet): ObjectKey[] {
    const { namespace, labels } = replicaSet.metadata;
    const owner = controllerOf(replicaSet);
    if (owner) return owner.kind === "Deployment" ? [`${namespace}/${owner.name}`] : [];
    return deploymentInformer
      .list(namespace)
      .filter(({ spec }) => selectorFromLabelSelector(spec?.selector).matches(labels))
      .map(keyOf);
  }

  // Only Recreate waits for pods, and only for their end; everything else shows in the ReplicaSets' status.
  function waitingForEndOf(pod: Pod): ObjectKey[] {
    const owner = controllerOf(pod);
    if (owner?.kind !== "ReplicaSet") return [];
    const replicaSet = replicaSetInformer.get(`${pod.metadata.namespace}/${owner.name}`);
    if (!replicaSet) return [];
    return ownersOfReplicaSet(replicaSet).filter(
      (key) => deploymentInformer.get(key)?.spec?.strategy?.type === "Recreate",
    );
  }

  return {
    name: "deployment-controller",
    watches: [
      self(deploymentInformer),
      mapped(replicaSetInformer, ownersOfReplicaSet),
      mapped(podInformer, waitingForEndOf),
    ],
    reconcile,
  };
}
