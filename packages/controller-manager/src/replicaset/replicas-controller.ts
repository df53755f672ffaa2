// Keeps the number of Pods of each object at its spec.replicas: the loop that ReplicaSets and ReplicationControllers share.
// Knows of their kinds only what ReplicaKind says.

import type { ReplicaSet } from "@picokube/api/apps/v1";
import { type Pod, pods, type ReplicationController } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import { controllerOf, controllerRef } from "@picokube/api/owner";
import { isPodActive } from "@picokube/api/pod";
import type { Resource } from "@picokube/api/resource";
import type { Selector } from "@picokube/api/selectors/labels";
import type { Controller } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { self } from "@picokube/client/watch-sources";
import { claim } from "../claim.js";
import type { Dependencies } from "../dependencies.js";
import { claimable, indexByOwner, ownedBy, ownedPods } from "../owned-pods.js";
import { createPodControl, isNamespaceTerminating, slowStart } from "../pod-control.js";
import { planReplicaSet, type ReplicaPlan, replicaSetStatus } from "./replicaset-plan.js";

const byController = "controllerOfReplicas";

/** What the loop must know of a kind. */
export interface ReplicaKind<T extends ReplicaSet | ReplicationController> {
  readonly name: string;
  /** Where its events come from. */
  readonly component: string;
  readonly resource: Resource<T>;
  readonly selectorOf: (owner: T) => Selector;
}

type Failure = { reason: "FailedCreate" | "FailedDelete"; message: string };

/** Upstream's ReplicaSetController, which is also the replication manager. */
export function replicasController<T extends ReplicaSet | ReplicationController>(
  { client, informers, clock, recorder }: Dependencies,
  { name, component, resource, selectorOf }: ReplicaKind<T>,
): Controller {
  const ownerInformer = informers.for(resource);
  const podInformer = informers.for(pods);
  const expectations = new Expectations({ clock });
  const podControl = createPodControl({ client, recorder: recorder(component) });
  indexByOwner(podInformer);
  ownerInformer.addIndex(byController, (owner) => [controllerOf(owner)?.uid ?? ""].filter(Boolean));
  ownerInformer.addHandler({ delete: (last) => expectations.forget(keyOf(last)) });

  async function reconcile(key: ObjectKey) {
    const owner = ownerInformer.get(key);
    if (!owner) return;
    const needed = expectations.satisfied(key);
    const active = await claim({
      client,
      resource: pods,
      owner,
      ownerResource: resource,
      reference: controllerRef(owner, resource),
      selector: selectorOf(owner),
      candidates: claimable(podInformer, owner).filter(isPodActive),
    });
    let failure: { told: Failure; error: unknown } | undefined;
    if (needed && !owner.metadata.deletionTimestamp) {
      const desired = owner.spec?.replicas ?? 1;
      const related = active.length > desired ? relatedPods(owner, active) : active;
      const plan = planReplicaSet({ desired, active, related, nowMs: clock.now() });
      failure = await carryOut(key, owner, plan);
    }
    // What was told to end must not be counted on: a Deployment would let go of others in its stead.
    const leaving = expectations.pendingDeletions(key);
    const staying = active.filter((pod) => !leaving.has(keyOf(pod)));
    const current = await updateStatus(owner, staying, failure?.told);
    if (failure) throw failure.error;
    const { minReadySeconds = 0, replicas = 1 } = current.spec ?? {};
    const { readyReplicas = 0, availableReplicas = 0 } = current.status ?? {};
    if (minReadySeconds > 0 && readyReplicas === replicas && availableReplicas !== replicas)
      return { requeueAfterMs: minReadySeconds * 1000 };
  }

  // Deleting from the node that holds most pods of the same Deployment keeps them spread.
  function relatedPods(owner: T, own: readonly Pod[]): readonly Pod[] {
    const controller = controllerOf(owner);
    if (!controller) return own;
    return ownerInformer
      .byIndex(byController, controller.uid)
      .flatMap(({ metadata }) => ownedBy(podInformer, metadata.uid).filter(isPodActive));
  }

  async function carryOut(key: ObjectKey, owner: T, plan: ReplicaPlan) {
    if (plan.create > 0) {
      expectations.expectCreations(key, plan.create);
      const reference = controllerRef(owner, resource);
      const { skipped, error } = await slowStart(plan.create, async () => {
        try {
          await podControl.create({ owner, reference, template: owner.spec!.template! });
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
          await podControl.delete({ owner, pod });
        } catch (error) {
          expectations.deletionObserved(key, keyOf(pod));
          if (!isNotFound(error)) throw error;
        }
      }),
    );
    const error = results.find((result) => result.status === "rejected")?.reason as Error | undefined;
    return error ? { told: { reason: "FailedDelete" as const, message: error.message }, error } : undefined;
  }

  async function updateStatus(owner: T, active: readonly Pod[], failure: Failure | undefined) {
    const status = replicaSetStatus({ owner, active, failure, nowMs: clock.now() });
    if (semanticDeepEqual(status, owner.status)) return owner;
    return client.update(resource, { ...owner, status }, { subresource: "status" });
  }

  return {
    name,
    watches: [self(ownerInformer), ownedPods({ podInformer, ownerInformer, selectorOf, expectations })],
    reconcile,
  };
}
