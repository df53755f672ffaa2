// The writes that bind, unbind and mark claims and volumes, each only where something changes. Upstream's bind,
// unbindVolume, updateClaimStatus and updateVolumePhase.

import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentvolumeclaims,
  persistentvolumes,
} from "@picokube/api/core/v1";
import { bindCompleted, boundByController, hasAnnotation, volumeBoundTo } from "@picokube/api/core/volume-claims";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { parseQuantity } from "@picokube/api/quantity";
import type { Client } from "@picokube/client/client";
import type { WrittenObjects } from "./written-objects.js";

type ClaimPhase = "Pending" | "Bound" | "Lost";
type VolumePhase = "Available" | "Bound" | "Released" | "Failed";

export interface Binding {
  /** Volume, its phase, claim, its phase: in this order, so that a crash between two leaves something to go on from. */
  bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void>;
  /** Takes back what the controller wrote; what a person reserved stays reserved. */
  unbind(volume: PersistentVolume): Promise<void>;
  /** Whether the phase was another before. volume: whose size and modes the claim now has. */
  setClaimPhase(claim: PersistentVolumeClaim, phase: ClaimPhase, volume?: PersistentVolume): Promise<boolean>;
  /** Whether the phase was another before. */
  setVolumePhase(volume: PersistentVolume, phase: VolumePhase, message?: string): Promise<boolean>;
  updateClaim(claim: PersistentVolumeClaim): Promise<PersistentVolumeClaim>;
}

/** Failures are the server's, thrown as they are: the next look finds what is left to do. */
export function createBinding({
  client,
  volumes,
  claims,
}: {
  client: Client;
  volumes: WrittenObjects<PersistentVolume>;
  claims: WrittenObjects<PersistentVolumeClaim>;
}): Binding {
  const status = { subresource: "status" };
  const saveVolume = async (volume: PersistentVolume, options = {}) =>
    volumes.remember(await client.update(persistentvolumes, volume, options));
  const saveClaim = async (claim: PersistentVolumeClaim, options = {}) =>
    claims.remember(await client.update(persistentvolumeclaims, claim, options));

  async function setVolumePhase(volume: PersistentVolume, phase: VolumePhase, message = ""): Promise<boolean> {
    if (volume.status?.phase === phase) return false;
    const { message: _, ...rest } = volume.status ?? {};
    await saveVolume({ ...volume, status: { ...rest, phase, ...(message ? { message } : {}) } }, status);
    return true;
  }

  async function setClaimPhase(claim: PersistentVolumeClaim, phase: ClaimPhase, volume?: PersistentVolume) {
    const next = claimStatus(claim, phase, volume);
    const changed = claim.status?.phase !== phase;
    if (!semanticDeepEqual(next, claim.status)) await saveClaim({ ...claim, status: next }, status);
    return changed;
  }

  return {
    setVolumePhase,
    setClaimPhase,
    updateClaim: saveClaim,
    async bind(volume, claim) {
      const reserved = volumeBoundTo(volume, claim);
      const saved = reserved === volume ? volume : await saveVolume(reserved);
      await setVolumePhase(saved, "Bound");
      const named = claimBoundTo(claim, saved);
      await setClaimPhase(named === claim ? claim : await saveClaim(named), "Bound", saved);
    },
    async unbind(volume) {
      const { claimRef, ...spec } = volume.spec!;
      const { [boundByController]: mark, ...annotations } = volume.metadata.annotations ?? {};
      const { uid: _, ...reserved } = claimRef!;
      const byPerson = mark === undefined;
      const metadata = { ...volume.metadata, annotations };
      const saved = await saveVolume({ ...volume, metadata, spec: byPerson ? { ...spec, claimRef: reserved } : spec });
      await setVolumePhase(saved, "Available");
    },
  };
}

function claimBoundTo(claim: PersistentVolumeClaim, volume: PersistentVolume): PersistentVolumeClaim {
  const volumeName = volume.metadata.name;
  const named = claim.spec?.volumeName === volumeName;
  if (named && hasAnnotation(claim, bindCompleted)) return claim;
  const annotations = {
    ...claim.metadata.annotations,
    ...(named ? {} : { [boundByController]: "yes" }),
    [bindCompleted]: "yes",
  };
  return { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName } };
}

// A bound claim keeps its capacity: while a volume is being resized the two differ on purpose.
function claimStatus(claim: PersistentVolumeClaim, phase: ClaimPhase, volume: PersistentVolume | undefined) {
  const { accessModes: _, capacity, ...rest } = claim.status ?? {};
  if (!volume) return { ...rest, phase };
  const { storage } = volume.spec?.capacity ?? {};
  if (storage === undefined)
    throw new Error(`PersistentVolume "${volume.metadata.name}" is without a storage capacity`);
  const same = capacity?.storage !== undefined && parseQuantity(capacity.storage).equals(parseQuantity(storage));
  const kept = capacity && (claim.status?.phase === phase || same);
  return {
    ...rest,
    phase,
    accessModes: volume.spec?.accessModes ?? [],
    capacity: kept ? capacity : volume.spec!.capacity!,
  };
}
