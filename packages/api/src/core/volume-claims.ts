// PersistentVolumes and the claims on them: classes, who is bound to whom, which claims a pod uses. Pure; what the
// controllers, the scheduler and the kubelet must agree on (upstream: component-helpers storage/volume).

import { parseQuantity, type Quantity } from "../quantity.js";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "./v1.js";

/** On a claim: its binding is complete. Upstream's AnnBindCompleted. */
export const bindCompleted = "pv.kubernetes.io/bind-completed";
/** On a volume or claim: the controller bound it, no person did. Upstream's AnnBoundByController. */
export const boundByController = "pv.kubernetes.io/bound-by-controller";
/** On a volume: the provisioner that made it. Upstream's AnnDynamicallyProvisioned. */
export const provisionedBy = "pv.kubernetes.io/provisioned-by";
/** On a claim: the node the scheduler chose for its first pod. Upstream's AnnSelectedNode. */
export const selectedNode = "volume.kubernetes.io/selected-node";
/** On a claim: the provisioner that is to make its volume. Upstream's AnnStorageProvisioner. */
export const storageProvisioner = "volume.kubernetes.io/storage-provisioner";
/** What older provisioners read. Upstream's AnnBetaStorageProvisioner. */
export const betaStorageProvisioner = "volume.beta.kubernetes.io/storage-provisioner";
/** A class's provisioner when its volumes are made by hand. Upstream's NotSupportedProvisioner. */
export const noProvisioner = "kubernetes.io/no-provisioner";

const betaStorageClass = "volume.beta.kubernetes.io/storage-class";

type Described = { readonly metadata: { readonly annotations?: { readonly [name: string]: string } } };

/** Whether the object carries the annotation, whatever its value. */
export function hasAnnotation({ metadata }: Described, name: string): boolean {
  return metadata.annotations?.[name] !== undefined;
}

/** The class a claim asks for; "" for none. Upstream's GetPersistentVolumeClaimClass. */
export function claimClass({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[betaStorageClass] ?? spec?.storageClassName ?? "";
}

/** Whether a claim says anything about its class; "" is a word too. Upstream's PersistentVolumeClaimHasClass. */
export function claimHasClass({ metadata, spec }: PersistentVolumeClaim): boolean {
  return metadata.annotations?.[betaStorageClass] !== undefined || spec?.storageClassName !== undefined;
}

/** The class a volume belongs to; "" for none. Upstream's GetPersistentVolumeClass. */
export function volumeClass({ metadata, spec }: PersistentVolume): string {
  return metadata.annotations?.[betaStorageClass] ?? spec?.storageClassName ?? "";
}

/** What a claim asks for. */
export function requestedSize({ spec }: PersistentVolumeClaim): Quantity {
  return parseQuantity(spec?.resources?.requests?.storage ?? "0");
}

/** What a volume holds. */
export function capacityOf({ spec }: PersistentVolume): Quantity {
  return parseQuantity(spec?.capacity?.storage ?? "0");
}

/** Bound or reserved for this claim; a reference without uid means any claim of the name. Upstream's IsVolumeBoundToClaim. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
  const reference = spec?.claimRef;
  if (!reference || reference.name !== metadata.name || reference.namespace !== metadata.namespace) return false;
  return !reference.uid || reference.uid === metadata.uid;
}

/** Named and finished: upstream's isPVCFullyBound. */
export function isFullyBound(claim: PersistentVolumeClaim): boolean {
  return Boolean(claim.spec?.volumeName) && hasAnnotation(claim, bindCompleted);
}

/** The volume as bound to the claim; the volume itself when nothing is to change. Upstream's GetBindVolumeToClaim. */
export function volumeBoundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const { name, namespace, uid, resourceVersion } = claim.metadata;
  const reference = volume.spec?.claimRef;
  const complete = reference?.name === name && reference.namespace === namespace && reference.uid === uid;
  const mark = !isBoundTo(volume, claim) && !hasAnnotation(volume, boundByController);
  if (complete && !mark) return volume;
  const claimRef = {
    kind: "PersistentVolumeClaim",
    apiVersion: "v1",
    namespace: namespace!,
    name,
    uid,
    resourceVersion,
  };
  return {
    ...volume,
    metadata: mark
      ? { ...volume.metadata, annotations: { ...volume.metadata.annotations, [boundByController]: "yes" } }
      : volume.metadata,
    spec: { ...volume.spec, claimRef: complete ? reference : claimRef },
  };
}

/** The claim behind a volume of a pod; undefined when it is of another kind. Upstream's ephemeral.VolumeClaimName. */
export function claimNameOf(pod: Pick<Pod, "metadata">, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined;
}

/** The keys of all claims that a pod's volumes lead to. Upstream's PodPVCIndexFunc. */
export function claimKeysOf(pod: Pod): string[] {
  return (pod.spec?.volumes ?? []).flatMap((volume) => {
    const name = claimNameOf(pod, volume);
    return name === undefined ? [] : [`${pod.metadata.namespace}/${name}`];
  });
}

/** Upstream's words when the claim of a pod's ephemeral volume belongs to somebody else: ephemeral.VolumeIsForPod. */
export function foreignClaim(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const { name, namespace, uid } = pod.metadata;
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (claim.metadata.namespace === namespace && owner?.uid === uid) return undefined;
  return `PVC ${claim.metadata.namespace}/${claim.metadata.name} was not created for pod ${namespace}/${name} (pod is not owner)`;
}
