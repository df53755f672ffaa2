// Which PersistentVolume serves a claim best. Pure; the binder and the scheduler ask the same question
// (upstream: component-helpers storage/volume FindMatchingVolume, and the binder's ordered index).

import { selectorFromLabelSelector } from "../selectors/labels.js";
import type { PersistentVolume, PersistentVolumeClaim } from "./v1.js";
import { capacityOf, claimClass, isBoundTo, requestedSize, volumeClass } from "./volume-claims.js";

type Modes = readonly string[] | undefined;

/** Every mode the claim asks for is one of the volume's. Upstream's CheckAccessModes. */
export function accessModesFit(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const offered: Modes = volume.spec?.accessModes;
  return (claim.spec?.accessModes ?? []).every((mode) => offered?.includes(mode));
}

/** Both are file systems or both are block devices. Upstream's CheckVolumeModeMismatches. */
export function volumeModesFit(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  return (claim.spec?.volumeMode ?? "Filesystem") === (volume.spec?.volumeMode ?? "Filesystem");
}

export interface FindVolumeOptions {
  readonly volumes: readonly PersistentVolume[];
  /** Only volumes reserved for the claim will do: the scheduler chooses among the others. */
  readonly reservedOnly?: boolean;
  /** The node's verdict, where there is a node. */
  readonly fitsNode?: (volume: PersistentVolume) => boolean;
  /** Names already taken by other claims of the pod. */
  readonly excluded?: ReadonlySet<string>;
}

/** The volume reserved for the claim, or the smallest that fits. Upstream's FindMatchingVolume. */
export function findVolume(claim: PersistentVolumeClaim, options: FindVolumeOptions): PersistentVolume | undefined {
  const { volumes, reservedOnly = false, fitsNode = () => true, excluded } = options;
  const requested = requestedSize(claim);
  const selector = claim.spec?.selector && selectorFromLabelSelector(claim.spec.selector);
  let smallest: PersistentVolume | undefined;
  for (const volume of volumes) {
    if (excluded?.has(volume.metadata.name)) continue;
    const reserved = isBoundTo(volume, claim);
    if (volume.spec?.claimRef && !reserved) continue;
    if (capacityOf(volume).compare(requested) < 0 || !volumeModesFit(claim, volume)) continue;
    if ((claim.spec?.volumeAttributesClassName ?? "") !== (volume.spec?.volumeAttributesClassName ?? "")) continue;
    if (volume.metadata.deletionTimestamp) continue;
    if (reserved) return fitsNode(volume) ? volume : undefined;
    if (reservedOnly || volume.status?.phase !== "Available") continue;
    if (selector && !selector.matches(volume.metadata.labels)) continue;
    if (volumeClass(volume) !== claimClass(claim) || !fitsNode(volume) || !accessModesFit(claim, volume)) continue;
    if (!smallest || capacityOf(smallest).compare(capacityOf(volume)) > 0) smallest = volume;
  }
  return smallest;
}

/** Among volumes whose access modes fit, those with the fewest modes first. Upstream's findBestMatchForClaim. */
export function findBestVolume(
  claim: PersistentVolumeClaim,
  { volumes, reservedOnly }: Pick<FindVolumeOptions, "volumes" | "reservedOnly">,
): PersistentVolume | undefined {
  const groups = new Map<string, PersistentVolume[]>();
  for (const volume of volumes) {
    if (!accessModesFit(claim, volume)) continue;
    const modes = [...(volume.spec?.accessModes ?? [])].sort().join();
    groups.set(modes, [...(groups.get(modes) ?? []), volume]);
  }
  const byModes = [...groups].sort(([a], [b]) => a.split(",").length - b.split(",").length);
  for (const [, group] of byModes) {
    const found = findVolume(claim, { volumes: group, ...(reservedOnly === undefined ? {} : { reservedOnly }) });
    if (found) return found;
  }
  return undefined;
}
