// Keeps a PersistentVolume that is being deleted for as long as it is bound.
// Watches: PersistentVolumes. Writes: the finalizer kubernetes.io/pv-protection.

import { persistentvolumes } from "@picokube/api/core/v1";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { self } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";

const finalizer = "kubernetes.io/pv-protection";

/** Upstream's persistentvolume-protection-controller. */
export function pvProtectionController({ client, informers }: Dependencies): Controller {
  const volumeInformer = informers.for(persistentvolumes);

  async function reconcile(name: ObjectKey) {
    const volume = volumeInformer.get(name);
    if (!volume) return;
    const { finalizers = [], deletionTimestamp } = volume.metadata;
    const has = finalizers.includes(finalizer);
    const keep = deletionTimestamp === undefined || volume.status?.phase === "Bound";
    // To an object that is going away no finalizer can be added.
    if (has === keep || (!has && deletionTimestamp)) return;
    const next = has ? finalizers.filter((each) => each !== finalizer) : [...finalizers, finalizer];
    await client.update(persistentvolumes, { ...volume, metadata: { ...volume.metadata, finalizers: next } });
  }

  return { name: "persistentvolume-protection-controller", watches: [self(volumeInformer)], reconcile };
}
