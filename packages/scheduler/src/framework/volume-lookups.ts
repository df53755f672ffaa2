// What the volume plugins ask of the cluster, and what they ask it to keep for a pod. Types, and a cluster without storage.

import type { PersistentVolume, PersistentVolumeClaim } from "@picokube/api/core/v1";
import type { StorageClass } from "@picokube/api/storage/v1";
import type { PodInfo } from "./pod-info.js";
import type { Reservation } from "./reservation.js";

/** What binding a pod's volumes on one node takes. */
export interface VolumeDecision {
  readonly bindings: readonly { readonly claim: PersistentVolumeClaim; readonly volume: PersistentVolume }[];
  /** Claims whose provisioner is to make a volume for the node. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

/** Claims and volumes show what this scheduler has promised already. */
export interface VolumeLookups {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumesOf(storageClass: string): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
  /** Keeps what was decided; completing it takes as long as the binder and the provisioner do, timeoutMs at most. */
  reserve(pod: PodInfo, options: { nodeName: string; decision: VolumeDecision; timeoutMs: number }): Reservation;
}

export const noVolumes: VolumeLookups = {
  claim: () => undefined,
  volume: () => undefined,
  volumesOf: () => [],
  storageClass: () => undefined,
  reserve: () => ({ release() {}, complete: async () => {} }),
};
