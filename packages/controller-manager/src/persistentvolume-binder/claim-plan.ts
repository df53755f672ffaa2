// What a PersistentVolumeClaim needs next. Pure: upstream's syncUnboundClaim and syncBoundClaim.

import { accessModesFit, findBestVolume, volumeModesFit } from "@picokube/api/core/find-volume";
import type { PersistentVolume, PersistentVolumeClaim } from "@picokube/api/core/v1";
import {
  bindCompleted,
  boundByController,
  capacityOf,
  claimClass,
  claimHasClass,
  hasAnnotation,
  isBoundTo,
  requestedSize,
  selectedNode,
  volumeClass,
} from "@picokube/api/core/volume-claims";
import type { StorageClass } from "@picokube/api/storage/v1";

export interface EventWords {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export type ClaimPlan =
  | { readonly kind: "bind"; readonly volume: PersistentVolume }
  /** Stays Pending, to be looked at again. An error is thrown after the event. */
  | { readonly kind: "wait"; readonly event?: EventWords; readonly error?: string }
  | { readonly kind: "assignClass"; readonly storageClass: string }
  | { readonly kind: "provision"; readonly provisioner: string }
  | { readonly kind: "lose"; readonly event: EventWords };

export interface ObservedForClaim {
  readonly volumes: readonly PersistentVolume[];
  readonly volume: (name: string) => PersistentVolume | undefined;
  readonly storageClass: (name: string) => StorageClass | undefined;
  readonly defaultClass: StorageClass | undefined;
  /** Names of pods that use the claim and have no node yet. */
  readonly waitingPods: readonly string[];
}

const normal = (reason: string, message: string): EventWords => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): EventWords => ({ type: "Warning", reason, message });

/** Upstream's syncClaim. */
export function planClaim(claim: PersistentVolumeClaim, observed: ObservedForClaim): ClaimPlan {
  if (hasAnnotation(claim, bindCompleted)) return planBound(claim, observed);
  return claim.spec?.volumeName ? planRequested(claim, observed) : planUnbound(claim, observed);
}

function planUnbound(claim: PersistentVolumeClaim, observed: ObservedForClaim): ClaimPlan {
  const name = claimClass(claim);
  const storageClass = observed.storageClass(name);
  const delayed = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
  const volume = findBestVolume(claim, { volumes: observed.volumes, reservedOnly: delayed });
  if (volume) return { kind: "bind", volume };
  if (!claimHasClass(claim) && observed.defaultClass)
    return { kind: "assignClass", storageClass: observed.defaultClass.metadata.name };
  if (delayed && !hasAnnotation(claim, selectedNode))
    return { kind: "wait", event: firstConsumer(observed.waitingPods) };
  if (name !== "") return planProvision(name, storageClass);
  const message = "no persistent volumes available for this claim and no storage class is set";
  return { kind: "wait", event: normal("FailedBinding", message) };
}

function firstConsumer(pods: readonly string[]): EventWords {
  if (pods.length === 0)
    return normal("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
  const names = pods.join(",");
  return normal("WaitForPodScheduled", `waiting for ${pods.length > 1 ? "pods" : "pod"} ${names} to be scheduled`);
}

// Upstream's in-tree provisioners are all gone: a name of theirs has nobody behind it.
function planProvision(name: string, storageClass: StorageClass | undefined): ClaimPlan {
  const failed = (message: string): ClaimPlan => ({ kind: "wait", event: warning("ProvisioningFailed", message) });
  if (!storageClass) return failed(`storageclass.storage.k8s.io "${name}" not found`);
  const { provisioner } = storageClass;
  if (provisioner.startsWith("kubernetes.io/")) return failed(`no volume plugin matched name: ${provisioner}`);
  return { kind: "provision", provisioner };
}

function planRequested(claim: PersistentVolumeClaim, observed: ObservedForClaim): ClaimPlan {
  const volume = observed.volume(claim.spec!.volumeName!);
  if (!volume) return { kind: "wait" };
  const { name } = volume.metadata;
  if (!volume.spec?.claimRef) {
    const objection = objectionTo(volume, claim);
    if (!objection) return { kind: "bind", volume };
    const message = `Cannot bind to requested volume "${name}": ${objection}`;
    return { kind: "wait", event: warning("VolumeMismatch", message) };
  }
  if (isBoundTo(volume, claim)) return { kind: "bind", volume };
  const event = warning("FailedBinding", `volume "${name}" already bound to a different claim.`);
  if (!hasAnnotation(claim, boundByController)) return { kind: "wait", event };
  const { namespace, name: other } = volume.spec.claimRef;
  const own = `${claim.metadata.namespace}/${claim.metadata.name}`;
  const error = `invalid binding of claim "${own}" to volume "${name}": volume already claimed by "${namespace}/${other}"`;
  return { kind: "wait", event, error };
}

/** Why a volume that the claim names cannot be its own. Upstream's checkVolumeSatisfyClaim. */
function objectionTo(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
  if (volume.metadata.deletionTimestamp) return `the volume is marked for deletion "${volume.metadata.name}"`;
  if (capacityOf(volume).compare(requestedSize(claim)) < 0) return "requested PV is too small";
  if (volumeClass(volume) !== claimClass(claim)) return "storageClassName does not match";
  if (!volumeModesFit(claim, volume)) return "incompatible volumeMode";
  return accessModesFit(claim, volume) ? undefined : "incompatible accessMode";
}

function planBound(claim: PersistentVolumeClaim, observed: ObservedForClaim): ClaimPlan {
  const lose = (reason: string, message: string): ClaimPlan => ({ kind: "lose", event: warning(reason, message) });
  const name = claim.spec?.volumeName;
  if (!name)
    return lose("ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
  const volume = observed.volume(name);
  if (!volume) return lose("ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
  const reference = volume.spec?.claimRef;
  if (!reference || reference.uid === claim.metadata.uid) return { kind: "bind", volume };
  return lose("ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
}
