// Keeps each StatefulSet's pods at their names, in their order and of its template.
// Watches: StatefulSets, Pods, PersistentVolumeClaims, ControllerRevisions. Writes: Pods, PersistentVolumeClaims,
// ControllerRevisions, StatefulSet status.

import { controllerrevisions, type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { type PersistentVolumeClaim, type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { Controller, WatchSource } from "@picokube/client/controller";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { mapped, self } from "@picokube/client/watch-sources";
import { claim } from "../claim.js";
import { templateOf } from "../controller-revisions.js";
import type { Dependencies } from "../dependencies.js";
import { claimable, indexByOwner, ownedPods } from "../owned-pods.js";
import { slowStart } from "../pod-control.js";
import { isMember, revisionOf, setNameOf } from "./identity.js";
import { currentRevisions, ownRevisions, type SetRevisions, truncateHistory } from "./revisions.js";
import { StatefulPodControl } from "./stateful-pod-control.js";
import { isParallel, planStatefulSet, type Stage, type StatefulSetPlan } from "./statefulset-plan.js";
import { isTerminating, type StatefulSetStatus, statusOf, withCompletion, withoutZeros } from "./statefulset-status.js";

const component = "statefulset-controller";
const selectorOf = ({ spec }: StatefulSet) => selectorFromLabelSelector(spec?.selector);

/** Upstream's statefulset-controller. */
export function statefulSetController({ client, informers, clock, recorder: recorderOf }: Dependencies): Controller {
  const setInformer = informers.for(statefulsets);
  const podInformer = informers.for(pods);
  const claimInformer = informers.for(persistentvolumeclaims);
  const revisionInformer = informers.for(controllerrevisions);
  const recorder = recorderOf(component);
  indexByOwner(podInformer);
  indexByOwner(revisionInformer);

  async function reconcile(key: ObjectKey) {
    const set = setInformer.get(key);
    if (!set) return;
    const revisions = await ownRevisions({ client, informer: revisionInformer, set });
    const owned = await claim({
      client,
      resource: pods,
      owner: set,
      ownerResource: statefulsets,
      reference: controllerRef(set, statefulsets),
      selector: selectorOf(set),
      candidates: claimable(podInformer, set),
      member: (pod) => isMember(set, pod),
    });
    const live = await currentRevisions(client, set, revisions);
    if (!live) return;
    const status = await sync(set, owned, live);
    await truncateHistory(client, { set, pods: owned, revisions, live });
    const { minReadySeconds = 0, replicas = 1 } = set.spec ?? {};
    if (minReadySeconds > 0 && status.availableReplicas !== replicas) return { requeueAfterMs: minReadySeconds * 1000 };
  }

  async function sync(set: StatefulSet, owned: readonly Pod[], live: SetRevisions): Promise<StatefulSetStatus> {
    const { current, update, collisionCount } = live;
    const claimOf = (name: string) => claimInformer.get(`${set.metadata.namespace}/${name}`);
    const asRevision = (revision: typeof current) => ({
      name: revision.metadata.name,
      template: templateOf(revision),
    });
    const nowMs = clock.now();
    const names = { current: current.metadata.name, update: update.metadata.name };
    let status = statusOf({ set, pods: owned, ...names, collisionCount, nowMs });
    let failure: { error: unknown } | undefined;
    if (!set.metadata.deletionTimestamp) {
      const plan = planStatefulSet({
        set,
        pods: owned,
        claim: claimOf,
        current: asRevision(current),
        update: asRevision(update),
        nowMs,
      });
      const podControl = new StatefulPodControl({ client, recorder, claim: claimOf }, set);
      const { ended, error } = await carryOut(plan, { podControl, parallel: isParallel(set) });
      const leaving = ended.filter((pod) => revisionOf(pod) === names.current && !isTerminating(pod)).length;
      status = { ...status, currentReplicas: (status.currentReplicas ?? 0) - leaving };
      failure = error === undefined ? undefined : { error };
    }
    const next = withCompletion(set, status);
    const written = withoutZeros(next);
    if (!semanticDeepEqual(written, set.status))
      await client.update(statefulsets, { ...set, status: written }, { subresource: "status" });
    if (failure) throw failure.error;
    return next;
  }

  return {
    name: component,
    watches: [
      self(setInformer),
      ownedPods({ podInformer, ownerInformer: setInformer, selectorOf }),
      collectedClaims(claimInformer),
      // Only read: their changes need no answer of their own.
      mapped(revisionInformer, () => []),
    ],
    reconcile,
  };
}

// A claim that went with its pod makes room for the next one of its ordinal.
function collectedClaims(informer: Informer<PersistentVolumeClaim>): WatchSource {
  return {
    informer,
    handler: (enqueue) => ({
      delete({ metadata }: PersistentVolumeClaim) {
        for (const { kind, name } of metadata.ownerReferences ?? [])
          if (kind === "Pod") enqueue(`${metadata.namespace}/${setNameOf(name)}`);
      },
    }),
  };
}

// Status is due even when a step fails: what failed is the second thing to tell.
async function carryOut(
  { stages, update }: StatefulSetPlan,
  { podControl, parallel }: { podControl: StatefulPodControl; parallel: boolean },
): Promise<{ ended: Pod[]; error?: unknown }> {
  const ended: Pod[] = [];
  try {
    for (const stage of stages) await carryOutStage(stage, { podControl, parallel });
    for (const pod of update) {
      await podControl.delete(pod);
      ended.push(pod);
    }
    return { ended };
  } catch (error) {
    return { ended, error };
  }
}

async function carryOutStage(
  stage: Stage,
  { podControl, parallel }: { podControl: StatefulPodControl; parallel: boolean },
): Promise<void> {
  const run = async (index: number) => {
    for (const step of stage[index]!) await podControl.carryOut(step);
  };
  if (parallel) {
    const busy = stage.flatMap((steps, index) => (steps.length > 0 ? [index] : []));
    const { error } = await slowStart(busy.length, () => run(busy.shift()!));
    if (error) throw error;
  } else for (let index = 0; index < stage.length; index++) await run(index);
}
