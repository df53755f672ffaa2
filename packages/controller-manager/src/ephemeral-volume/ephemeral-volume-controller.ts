// Makes the claims of pods' generic ephemeral volumes; they go with their pod, by its owner reference.
// Watches: Pods, PersistentVolumeClaims. Writes: PersistentVolumeClaims.

import { type Pod, persistentvolumeclaims, pods, type Volume } from "@picokube/api/core/v1";
import { claimNameOf, foreignClaim } from "@picokube/api/core/volume-claims";
import { controllerRef } from "@picokube/api/owner";
import type { Controller, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { podsByClaim } from "../pods-by-claim.js";

/** Upstream's ephemeral-volume-controller. */
export function ephemeralVolumeController({ client, informers, recorder: recorderOf }: Dependencies): Controller {
  const podInformer = informers.for(pods);
  const claimInformer = informers.for(persistentvolumeclaims);
  const podsOf = podsByClaim(podInformer);
  const recorder = recorderOf("ephemeral_volume");

  async function reconcile(key: ObjectKey) {
    const pod = podInformer.get(key);
    if (!pod || pod.metadata.deletionTimestamp) return;
    for (const volume of pod.spec?.volumes ?? []) {
      if (!volume.ephemeral) continue;
      try {
        await ensureClaim(pod, volume);
      } catch (cause) {
        const words = `ephemeral volume ${volume.name}: ${(cause as Error).message}`;
        recorder.record(pod, { type: "Warning", reason: "FailedBinding", message: words });
        throw new Error(`pod ${key}, ${words}`, { cause });
      }
    }
  }

  async function ensureClaim(pod: Pod, volume: Volume): Promise<void> {
    const { namespace } = pod.metadata;
    const name = claimNameOf(pod, volume)!;
    const claim = claimInformer.get(`${namespace}/${name}`);
    if (claim) {
      const objection = foreignClaim(pod, claim);
      if (objection) throw new Error(objection);
      return;
    }
    const { metadata: { annotations, labels } = {}, spec } = volume.ephemeral!.volumeClaimTemplate!;
    const metadata = {
      name,
      namespace: namespace!,
      ownerReferences: [controllerRef(pod, pods)],
      ...(annotations ? { annotations } : {}),
      ...(labels ? { labels } : {}),
    };
    await client.create(persistentvolumeclaims, { metadata, spec }).catch((cause: Error) => {
      throw new Error(`create PVC ${name}: ${cause.message}`, { cause });
    });
  }

  const newPods: WatchSource = {
    informer: podInformer,
    handler: (enqueue) => ({
      add(pod: Pod) {
        const needs = pod.spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined);
        if (needs && !pod.metadata.deletionTimestamp) enqueue(keyOf(pod));
      },
    }),
  };
  // One that somebody deleted is made again; one that goes may have stood in another pod's way.
  const claims = mapped(claimInformer, (claim) => podsOf(keyOf(claim)).map(keyOf));
  return { name: "ephemeral-volume-controller", watches: [newPods, claims], reconcile };
}
