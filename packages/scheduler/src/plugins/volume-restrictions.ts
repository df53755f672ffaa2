// VolumeRestrictions: a claim of ReadWriteOncePod serves one pod of the cluster, and a disk that cannot be shared one of a node.

import type { Pod, Volume } from "@picokube/api/core/v1";
import { claimKeysOf } from "@picokube/api/core/volume-claims";
import type { Plugin, Snapshot } from "../framework/plugin.js";
import type { VolumeLookups } from "../framework/volume-lookups.js";
import { usesClaim } from "./volume-binding.js";

const DISK_CONFLICT = "node(s) had no available disk";
const POD_CONFLICT = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";

const overlap = (a: readonly string[] = [], b: readonly string[] = []) => a.some((each) => b.includes(each));

/** The same disk, and not only read by both. Upstream's isVolumeConflict. */
export function disksConflict(a: Volume, b: Volume): boolean {
  const shared = (left: { readOnly?: boolean }, right: { readOnly?: boolean }) => !(left.readOnly && right.readOnly);
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    const same = a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName;
    return same && shared(a.gcePersistentDisk, b.gcePersistentDisk);
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID;
  }
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && shared(a.iscsi, b.iscsi);
  if (!a.rbd || !b.rbd) return false;
  const same = (a.rbd.pool ?? "rbd") === (b.rbd.pool ?? "rbd") && a.rbd.image === b.rbd.image;
  return same && overlap(a.rbd.monitors, b.rbd.monitors) && shared(a.rbd, b.rbd);
}

const disksOf = ({ spec }: Pod): Volume[] =>
  (spec?.volumes ?? []).filter(
    ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }) =>
      gcePersistentDisk ?? awsElasticBlockStore ?? iscsi ?? rbd,
  );

function isUsed(claims: ReadonlySet<string>, { nodes }: Snapshot): boolean {
  return nodes.some(({ pods }) =>
    [...pods.values()].some(({ pod }) => claimKeysOf(pod).some((key) => claims.has(key))),
  );
}

interface Restrictions {
  readonly disks: readonly Volume[];
  /** A claim that only one pod may use is in use. */
  readonly taken: boolean;
}

export function volumeRestrictions(lookups: VolumeLookups): Plugin<Restrictions> {
  return {
    name: "VolumeRestrictions",
    preFilter({ pod }, snapshot) {
      const exclusive = new Set<string>();
      for (const volume of pod.spec?.volumes ?? []) {
        const name = volume.persistentVolumeClaim?.claimName;
        if (name === undefined) continue;
        const claim = lookups.claim(pod.metadata.namespace ?? "", name);
        if (!claim) return { reject: { reasons: [`persistentvolumeclaim "${name}" not found`], unresolvable: true } };
        if (claim.spec?.accessModes?.includes("ReadWriteOncePod")) exclusive.add(`${pod.metadata.namespace}/${name}`);
      }
      const disks = disksOf(pod);
      if (exclusive.size === 0 && disks.length === 0) return "skip";
      return { state: { disks, taken: exclusive.size > 0 && isUsed(exclusive, snapshot) } };
    },
    filter(_, { pods }, { disks, taken }) {
      if (disks.length > 0) {
        for (const { pod } of pods.values()) {
          const conflict = disksOf(pod).some((used) => disks.some((disk) => disksConflict(disk, used)));
          if (conflict) return { reasons: [DISK_CONFLICT] };
        }
      }
      return taken ? { reasons: [POD_CONFLICT] } : undefined;
    },
    mayHelp({ pod }, event) {
      if (event.resource === "claim") return event.current !== undefined && usesClaim(pod, event.current);
      if (event.resource === "node") return event.previous === undefined;
      if (event.resource !== "assignedPod" || !event.previous || event.current) return false;
      const freed = event.previous;
      const disks = disksOf(freed);
      if (disks.some((disk) => disksOf(pod).some((wanted) => disksConflict(disk, wanted)))) return true;
      const keys = new Set(claimKeysOf(freed));
      return claimKeysOf(pod).some((key) => keys.has(key));
    },
  };
}
