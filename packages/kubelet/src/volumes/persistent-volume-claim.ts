// persistentVolumeClaim and ephemeral volumes: the claim leads to a PersistentVolume, whose hostPath or local path is it.

import { stat } from "node:fs/promises";
import { persistentvolumeclaims, persistentvolumes } from "@picokube/api/core/v1";
import { checkHostPath } from "./host-path.js";
import { setGroupOwnership } from "./ownership.js";
import type { VolumeContext, VolumePlugin } from "./volume-plugin.js";

async function resolve(context: VolumeContext, claimName: string, ownedByPod: boolean): Promise<string> {
  const { pod, sources, signal } = context;
  const namespace = pod.metadata.namespace ?? "default";
  const words = (why: string) => `error processing PVC ${namespace}/${claimName}: ${why}`;
  const claim = await sources.client
    .get(persistentvolumeclaims, { namespace, name: claimName }, { signal })
    .catch((error: Error) => {
      throw new Error(words(`failed to fetch PVC from API server: ${error.message}`), { cause: error });
    });
  if (ownedByPod && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid)) {
    throw new Error(
      words(
        `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`,
      ),
    );
  }
  if (claim.metadata.deletionTimestamp && !pod.metadata.deletionTimestamp)
    throw new Error(words("PVC is being deleted"));
  const volumeName = claim.spec?.volumeName;
  if (claim.status?.phase !== "Bound" || !volumeName) throw new Error(words("PVC is not bound"));
  const volume = await sources.client.get(persistentvolumes, { name: volumeName }, { signal });
  if (volume.spec?.claimRef?.uid !== claim.metadata.uid) {
    throw new Error(words(`PVC ${volume.spec?.claimRef?.uid} UID does not match`));
  }
  if (volume.spec.hostPath) {
    const { path, type = "" } = volume.spec.hostPath;
    await checkHostPath(path, type);
    return path;
  }
  if (!volume.spec.local) throw new Error(`no volume plugin matched`);
  const { path } = volume.spec.local;
  const info = await stat(path).catch(() => undefined);
  if (!info) throw new Error(`path "${path}" does not exist`);
  const fsGroup = pod.spec?.securityContext?.fsGroup;
  const mismatch = info.gid !== fsGroup || (info.mode & 0o2000) === 0;
  const always = pod.spec?.securityContext?.fsGroupChangePolicy !== "OnRootMismatch";
  if (fsGroup !== undefined && (always || mismatch)) await setGroupOwnership(path, fsGroup, { readOnly: false });
  return path;
}

export const persistentVolumeClaimPlugin: VolumePlugin = {
  field: "persistentVolumeClaim",
  refreshes: false,
  setUp: (context) => resolve(context, context.volume.persistentVolumeClaim!.claimName, false),
};

export const ephemeralPlugin: VolumePlugin = {
  field: "ephemeral",
  refreshes: false,
  setUp: (context) => resolve(context, `${context.pod.metadata.name}-${context.volume.name}`, true),
};
