// Keeps a PersistentVolumeClaim that is being deleted for as long as a pod uses it.
// Watches: PersistentVolumeClaims, Pods. Writes: the finalizer kubernetes.io/pvc-protection.

import { type PersistentVolumeClaim, type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import { claimKeysOf, claimNameOf, foreignClaim } from "@picokube/api/core/volume-claims";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { mapped, self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { podsByClaim } from "../pods-by-claim.js";

const finalizer = "kubernetes.io/pvc-protection";

/** Upstream's persistentvolumeclaim-protection-controller. */
export function pvcProtectionController({ client, informers }: Dependencies): Controller {
  const claimInformer = informers.for(persistentvolumeclaims);
  const podInformer = informers.for(pods);
  const podsOf = podsByClaim(podInformer);

  async function reconcile(key: ObjectKey) {
    const claim = claimInformer.get(key);
    if (!claim) return;
    const { finalizers = [], deletionTimestamp } = claim.metadata;
    const has = finalizers.includes(finalizer);
    if (deletionTimestamp) {
      if (has && !(await isUsed(key, claim)))
        await save(
          claim,
          finalizers.filter((each) => each !== finalizer),
        );
    } else if (!has) await save(claim, [...finalizers, finalizer]);
  }

  // The cache may be behind a pod that has just been bound: before the claim goes, the server is asked.
  async function isUsed(key: ObjectKey, claim: PersistentVolumeClaim): Promise<boolean> {
    if (podsOf(key).some((pod) => uses(pod, claim))) return true;
    const { items } = await client.list(pods, { namespace: claim.metadata.namespace! });
    return items.some((pod) => uses(pod, claim));
  }

  async function save(claim: PersistentVolumeClaim, finalizers: string[]): Promise<void> {
    await client.update(persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, finalizers } });
  }

  return {
    name: "persistentvolumeclaim-protection-controller",
    watches: [self(claimInformer), mapped(podInformer, claimKeysOf)],
    reconcile,
  };
}

/** A pod without a node uses nothing: no kubelet starts it on a claim that is being deleted. Upstream's podUsesPVC. */
export function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  return (pod.spec.volumes ?? []).some((volume) => {
    if (claimNameOf(pod, volume) !== claim.metadata.name) return false;
    return volume.persistentVolumeClaim !== undefined || (!isShutDown(pod) && foreignClaim(pod, claim) === undefined);
  });
}

// The kubelet is done with it. Its own finalizers may wait for the very claim that this one would keep.
function isShutDown({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.deletionGracePeriodSeconds === 0;
}
