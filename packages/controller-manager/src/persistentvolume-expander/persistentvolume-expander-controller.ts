// Says of claims that have grown who must expand them: the provisioner, for none of the volumes here is expanded in-tree.
// Watches: PersistentVolumeClaims. Writes: events.

import { type PersistentVolumeClaim, persistentvolumeclaims } from "@picokube/api/core/v1";
import { requestedSize } from "@picokube/api/core/volume-claims";
import { parseQuantity } from "@picokube/api/quantity";
import type { Controller, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Dependencies } from "../dependencies.js";

/** Upstream's persistentvolume-expander-controller, which has no expandable plugin left but those of CSI. */
export function persistentVolumeExpander({ informers, recorder: recorderOf }: Dependencies): Controller {
  const claimInformer = informers.for(persistentvolumeclaims);
  const recorder = recorderOf("volume_expand");

  async function reconcile(key: ObjectKey) {
    const claim = claimInformer.get(key);
    if (claim?.status?.phase !== "Bound" || !isWaiting(claim)) return;
    const message = "waiting for an external controller to expand this PVC";
    recorder.record(claim, { type: "Normal", reason: "ExternalExpanding", message });
  }

  const grown: WatchSource = {
    informer: claimInformer,
    handler: (enqueue) => ({
      add: (claim: PersistentVolumeClaim) => enqueue(keyOf(claim)),
      update(previous: PersistentVolumeClaim, claim: PersistentVolumeClaim) {
        if (requestedSize(claim).compare(requestedSize(previous)) > 0) enqueue(keyOf(claim));
      },
    }),
  };
  return { name: "persistentvolume-expander-controller", watches: [grown], reconcile };
}

function isWaiting(claim: PersistentVolumeClaim): boolean {
  const present = claim.status?.capacity?.storage;
  return present !== undefined && requestedSize(claim).compare(parseQuantity(present)) > 0;
}
