// Keeps each ReplicaSet's number of Pods at spec.replicas.
// Watches: ReplicaSets, Pods. Writes: Pods, ReplicaSet status.

import { type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import { controllerOf, controllerRef } from "@picokube/api/owner";
import { isPodActive } from "@picokube/api/pod";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller, WatchSource } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { self } from "@picokube/client/watch-sources";
import { claim } from "../claim.js";
import type { Dependencies } from "../dependencies.js";
import { createPodControl, isNamespaceTerminating, slowStart } from "../pod-control.js";
import { planReplicaSet, type ReplicaPlan, replicaSetStatus } from "./replicaset-plan.js";

const byController = "replicaSetController";

type Failure = { reason: "FailedCreate" | "FailedDelete"; message: string };

/** Upstream's replicaset-controller. */
export function replicaSetController({ client, informers, clock, recorder }: Dependencies): Controller {
  const replicaSetInformer = informers.for(replicasets);
  const podInformer = informers.for(pods);
  const expectations = new Expectations({ clock });
  const podControl = createPodControl({ client, recorder: recorder("replicaset-controller") });
  replicaSetInformer.addIndex(byController, (replicaSet) => [controllerOf(replicaSet)?.uid ?? ""].filter(Boolean));
  replicaSetInformer.addHandler({ delete: (last) => expectations.forget(keyOf(last)) });

  async function reconcile(key: ObjectKey) {
    const replicaSet = replicaSetInformer.get(key);
    if (!replicaSet) return;
    const needed = expectations.satisfied(key);
    const selector = selectorFromLabelSelector(replicaSet.spec?.selector);
    const candidates = podInformer.list(replicaSet.metadata.namespace).filter(isPodActive);
    const active = await claim({
      client,
      resource: pods,
      owner: replicaSet,
      ownerResource: replicasets,
      reference: controllerRef(replicaSet, replicasets),
      selector,
      candidates,
    });
    let failure: { told: Failure; error: unknown } | undefined;
    if (needed && !replicaSet.metadata.deletionTimestamp) {
      const desired = replicaSet.spec?.replicas ?? 1;
      const plan = planReplicaSet({ desired, active, related: relatedPods(replicaSet, active), nowMs: clock.now() });
      failure = await carryOut(key, replicaSet, plan);
    }
    const current = await updateStatus(replicaSet, active, failure?.told);
    if (failure) throw failure.error;
    const { minReadySeconds = 0, replicas = 1 } = current.spec ?? {};
    const { readyReplicas = 0, availableReplicas = 0 } = current.status ?? {};
    if (minReadySeconds > 0 && readyReplicas === replicas && availableReplicas !== replicas)
      return { requeueAfterMs: minReadySeconds * 1000 };
  }

  // Deleting from the node that holds most pods of the same Deployment keeps them spread.
  function relatedPods(replicaSet: ReplicaSet, own: readonly Pod[]): readonly Pod[] {
    const controller = controllerOf(replicaSet);
    if (!controller) return own;
    const siblings = new Set(
      replicaSetInformer.byIndex(byController, controller.uid).map(({ metadata }) => metadata.uid),
    );
    return podInformer
      .list(replicaSet.metadata.namespace)
      .filter((pod) => isPodActive(pod) && siblings.has(controllerOf(pod)?.uid ?? ""));
  }

  async function carryOut(key: ObjectKey, replicaSet: ReplicaSet, plan: ReplicaPlan) {
    if (plan.create > 0) {
      expectations.expectCreations(key, plan.create);
      const reference = controllerRef(replicaSet, replicasets);
      const { skipped, error } = await slowStart(plan.create, async () => {
        try {
          await podControl.create({ owner: replicaSet, reference, template: replicaSet.spec!.template! });
        } catch (cause) {
          expectations.creationObserved(key);
          // All that is made in a namespace that ends fails: there is nothing to try again.
          if (!isNamespaceTerminating(cause)) throw cause;
        }
      });
      for (let i = 0; i < skipped; i++) expectations.creationObserved(key);
      return error
        ? { told: { reason: "FailedCreate" as const, message: (error as Error).message }, error }
        : undefined;
    }
    if (plan.delete.length === 0) return undefined;
    expectations.expectDeletions(key, plan.delete.map(keyOf));
    const results = await Promise.allSettled(
      plan.delete.map(async (pod) => {
        try {
          await podControl.delete({ owner: replicaSet, pod });
        } catch (error) {
          expectations.deletionObserved(key, keyOf(pod));
          if (!isNotFound(error)) throw error;
        }
      }),
    );
    const error = results.find((result) => result.status === "rejected")?.reason as Error | undefined;
    return error ? { told: { reason: "FailedDelete" as const, message: error.message }, error } : undefined;
  }

  async function updateStatus(replicaSet: ReplicaSet, active: readonly Pod[], failure: Failure | undefined) {
    const status = replicaSetStatus({ replicaSet, active, failure, nowMs: clock.now() });
    if (semanticDeepEqual(status, replicaSet.status)) return replicaSet;
    return client.update(replicasets, { ...replicaSet, status }, { subresource: "status" });
  }

  return {
    name: "replicaset-controller",
    watches: [self(replicaSetInformer), podsOf({ podInformer, replicaSetInformer, expectations })],
    reconcile,
  };
}

function podsOf({
  podInformer,
  replicaSetInformer,
  expectations,
}: {
  podInformer: Informer<Pod>;
  replicaSetInformer: Informer<ReplicaSet>;
  expectations: Expectations;
}): WatchSource {
  const ownerKey = (pod: Pod): ObjectKey | undefined => {
    const owner = controllerOf(pod);
    if (owner?.kind !== "ReplicaSet") return undefined;
    const key = `${pod.metadata.namespace}/${owner.name}`;
    return replicaSetInformer.get(key)?.metadata.uid === owner.uid ? key : undefined;
  };
  return {
    informer: podInformer,
    handler(enqueue) {
      const gone = (pod: Pod) => {
        const key = ownerKey(pod);
        if (!key) return;
        expectations.deletionObserved(key, keyOf(pod));
        enqueue(key);
      };
      const orphan = (pod: Pod) => {
        for (const replicaSet of replicaSetInformer.list(pod.metadata.namespace))
          if (selectorFromLabelSelector(replicaSet.spec?.selector).matches(pod.metadata.labels))
            enqueue(keyOf(replicaSet));
      };
      return {
        add(pod: Pod) {
          if (pod.metadata.deletionTimestamp) return gone(pod);
          const key = ownerKey(pod);
          if (key) {
            expectations.creationObserved(key);
            enqueue(key);
          } else if (!controllerOf(pod)) orphan(pod);
        },
        update(previous: Pod, pod: Pod) {
          if (previous.metadata.resourceVersion === pod.metadata.resourceVersion) return;
          if (pod.metadata.deletionTimestamp) {
            gone(pod);
            if (controllerOf(previous)?.uid !== controllerOf(pod)?.uid) gone(previous);
            return;
          }
          const key = ownerKey(pod);
          const before = ownerKey(previous);
          if (before && before !== key) enqueue(before);
          if (key) {
            enqueue(key);
            const minReadySeconds = replicaSetInformer.get(key)?.spec?.minReadySeconds ?? 0;
            if (minReadySeconds > 0) enqueue(key, minReadySeconds * 1000 + 1000);
          } else if (!controllerOf(pod)) orphan(pod);
        },
        delete: gone,
      };
    },
  };
}
