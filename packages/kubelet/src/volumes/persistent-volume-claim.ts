// persistentVolumeClaim and ephemeral volumes: the claim leads to a PersistentVolume, whose hostPath, local path or NFS
// export it is. Upstream's desired state of world populator and the plugins behind it.

import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
} from "@picokube/api/core/v1";
import { claimNameOf, foreignClaim } from "@picokube/api/core/volume-claims";
import { VolumeError } from "../parts.js";
import { checkHostPath } from "./host-path.js";
import { setUpLocal } from "./local.js";
import { setUpNfs } from "./nfs.js";
import type { VolumeContext, VolumePlugin } from "./volume-plugin.js";

/** The claim of the pod's volume; throws why it cannot be used, in upstream's words. */
async function usableClaim(context: VolumeContext, name: string): Promise<PersistentVolumeClaim> {
  const { pod, volume, sources, signal } = context;
  const namespace = pod.metadata.namespace ?? "default";
  const claim = await sources.client
    .get(persistentvolumeclaims, { namespace, name }, { signal })
    .catch((error: Error) => {
      throw new Error(`failed to fetch PVC from API server: ${error.message}`, { cause: error });
    });
  const objection = volume.ephemeral && foreignClaim(pod, claim);
  if (objection) throw new Error(objection);
  if (claim.metadata.deletionTimestamp && !pod.metadata.deletionTimestamp) throw new Error("PVC is being deleted");
  if (claim.status?.phase !== "Bound" || !claim.spec?.volumeName) throw new Error("PVC is not bound");
  return claim;
}

async function volumeOf(context: VolumeContext): Promise<PersistentVolume> {
  const { pod, volume, sources, signal } = context;
  const name = claimNameOf(pod, volume)!;
  const key = `${pod.metadata.namespace ?? "default"}/${name}`;
  try {
    const claim = await usableClaim(context, name);
    const found = await sources.client.get(persistentvolumes, { name: claim.spec!.volumeName! }, { signal });
    const uid = found.spec?.claimRef?.uid;
    if (uid === claim.metadata.uid) return found;
    throw new Error(
      `failed to get PV ${found.metadata.name}: PVC UID does not match: PV has "${uid}", PVC has "${claim.metadata.uid}"`,
    );
  } catch (cause) {
    const lists = `unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]`;
    throw new VolumeError(
      `Unable to attach or mount volumes: ${lists}: error processing PVC ${key}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** The volume's path on this host. */
async function setUpPersistent({ metadata, spec }: PersistentVolume, context: VolumeContext): Promise<string> {
  const { pod, sources, volumesDir, signal } = context;
  if (spec?.volumeMode === "Block") throw new Error("volume mode Block is not supported");
  if (spec?.hostPath) {
    await checkHostPath(spec.hostPath.path, spec.hostPath.type ?? "");
    return spec.hostPath.path;
  }
  if (spec?.local) return setUpLocal(spec.local.path, { pod, localRoot: sources.localRoot });
  if (!spec?.nfs) throw new Error("no volume plugin matched");
  const { mountOptions = [] } = spec;
  return setUpNfs(spec.nfs, { volumesDir, name: metadata.name, mountOptions, signal });
}

async function setUp(context: VolumeContext): Promise<string> {
  const volume = await volumeOf(context);
  try {
    return await setUpPersistent(volume, context);
  } catch (cause) {
    const words = (cause as Error).message;
    const { name } = volume.metadata;
    const step = words.endsWith("does not exist") ? "NewMounter initialization" : "SetUp";
    throw new VolumeError(`MountVolume.${step} failed for volume "${name}" : ${words}`, { cause });
  }
}

export const persistentVolumeClaimPlugin: VolumePlugin = { field: "persistentVolumeClaim", refreshes: false, setUp };

export const ephemeralPlugin: VolumePlugin = { field: "ephemeral", refreshes: false, setUp };
