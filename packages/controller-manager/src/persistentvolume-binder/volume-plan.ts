// What a PersistentVolume needs next. Pure: upstream's syncVolume and reclaimVolume.

import { volumeModesFit } from "@picokube/api/core/find-volume";
import type { PersistentVolume, PersistentVolumeClaim } from "@picokube/api/core/v1";
import { hasAnnotation, provisionedBy } from "@picokube/api/core/volume-claims";
import type { EventWords } from "./claim-plan.js";

export type VolumePlan =
  | { readonly kind: "phase"; readonly phase: "Available" | "Bound" }
  /** The claim's turn. */
  | { readonly kind: "askClaim" }
  | { readonly kind: "mismatch"; readonly onVolume: EventWords; readonly onClaim: EventWords }
  | { readonly kind: "unbind" }
  /** Nobody's any more: to be Released, then dealt with as its policy says. */
  | { readonly kind: "reclaim"; readonly reclaim: ReclaimPlan };

export type ReclaimPlan =
  /** Kept for a person, or left to the provisioner that made it. */
  { readonly kind: "leave" } | { readonly kind: "recycle" } | { readonly kind: "fail"; readonly event: EventWords };

/** claim is the one that claimRef names, uid and all; undefined when there is none. */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
  const reference = volume.spec?.claimRef;
  if (!reference?.uid) return { kind: "phase", phase: "Available" };
  if (!claim) return { kind: "reclaim", reclaim: planReclaim(volume) };
  const bound = claim.spec?.volumeName;
  if (bound === volume.metadata.name) return { kind: "phase", phase: "Bound" };
  if (!bound) return volumeModesFit(claim, volume) ? { kind: "askClaim" } : mismatch(volume, claim);
  const ours = hasAnnotation(volume, provisionedBy) && volume.spec?.persistentVolumeReclaimPolicy === "Delete";
  return ours ? { kind: "reclaim", reclaim: planReclaim(volume) } : { kind: "unbind" };
}

function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): VolumePlan {
  const warning = (message: string): EventWords => ({ type: "Warning", reason: "VolumeMismatch", message });
  return {
    kind: "mismatch",
    onVolume: warning(
      `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
    ),
    onClaim: warning(
      `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
    ),
  };
}

function planReclaim({ metadata, spec }: PersistentVolume): ReclaimPlan {
  const fail = (reason: string, message: string): ReclaimPlan => ({
    kind: "fail",
    event: { type: "Warning", reason, message },
  });
  switch (spec?.persistentVolumeReclaimPolicy) {
    case "Recycle":
      return spec.hostPath || spec.nfs
        ? { kind: "recycle" }
        : fail("VolumeFailedRecycle", "No recycler plugin found for the volume!");
    case "Delete": {
      const provisioner = metadata.annotations?.[provisionedBy];
      if (provisioner?.startsWith("kubernetes.io/"))
        return fail("VolumeFailedDelete", `no volume plugin matched name: ${provisioner}`);
      if (provisioner || spec.csi) return { kind: "leave" };
      return fail("VolumeFailedDelete", noDeleter(metadata.name, spec));
    }
    default:
      return { kind: "leave" };
  }
}

// Upstream deletes a hostPath below /tmp on whatever host the controller-manager runs; here no controller touches a disk.
function noDeleter(name: string, { hostPath }: NonNullable<PersistentVolume["spec"]>): string {
  if (hostPath && !/^\/tmp\/.+/.test(hostPath.path))
    return `host_path deleter only supports /tmp/.+ but received provided ${hostPath.path}`;
  return `error getting deleter volume plugin for volume "${name}": no deletable volume plugin matched`;
}
