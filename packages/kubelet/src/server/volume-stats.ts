// What pods' volumes hold: those with a directory of their own by walking it, claims by the file system that they lie on,
// as upstream's MetricsDu and MetricsStatFS. Also told as kubelet_volume_stats_* of each claim.

import { join } from "node:path";
import type { Container, Pod, Volume } from "@picokube/api/core/v1";
import { claimNameOf } from "@picokube/api/core/volume-claims";
import type { ContainerStatus } from "../cri/runtime.js";
import { diskUsage } from "../disk-usage.js";
import { fileSystem } from "../node/machine.js";
import type { PodLookup } from "../parts.js";
import type { MetricFamily } from "./metric-text.js";
import type { WalkedDisks } from "./walked-disks.js";

export interface VolumeStats {
  readonly name: string;
  /** A directory of the pod's own on the node's disk: it counts as ephemeral storage. */
  readonly isLocal: boolean;
  readonly pvcRef?: { readonly name: string; readonly namespace: string };
  readonly availableBytes: number;
  readonly capacityBytes: number;
  readonly usedBytes: number;
  readonly inodesFree: number;
  readonly inodes: number;
  readonly inodesUsed: number;
}

const plugins = {
  emptyDir: "kubernetes.io~empty-dir",
  configMap: "kubernetes.io~configmap",
  secret: "kubernetes.io~secret",
  projected: "kubernetes.io~projected",
  downwardAPI: "kubernetes.io~downward-api",
} as const;

/** Where the claim is, out of what is mounted into the pod's containers. */
function mountedPath({ spec }: Pod, volume: Volume, statuses: readonly ContainerStatus[]): string | undefined {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])] as Container[];
  for (const { name, volumeMounts = [] } of containers) {
    const mount = volumeMounts.find((candidate) => candidate.name === volume.name);
    const mounts = statuses.find((status) => status.name === name)?.mounts;
    const found = mounts?.find(({ containerPath }) => containerPath === mount?.mountPath);
    if (found) return found.hostPath;
  }
  return undefined;
}

async function claimStats(pod: Pod, volume: Volume, statuses: readonly ContainerStatus[]): Promise<VolumeStats[]> {
  const name = claimNameOf(pod, volume);
  const path = name === undefined ? undefined : mountedPath(pod, volume, statuses);
  const disk = path === undefined ? undefined : await fileSystem(path).catch(() => undefined);
  if (!disk || name === undefined) return [];
  return [
    {
      ...disk,
      name: volume.name,
      isLocal: false,
      pvcRef: { name, namespace: pod.metadata.namespace ?? "default" },
      usedBytes: disk.capacityBytes - disk.freeBytes,
      inodesUsed: disk.inodes - disk.inodesFree,
    },
  ];
}

/** Of every volume of the pod that can be measured. */
export async function volumeStats(
  pod: Pod,
  statuses: readonly ContainerStatus[],
  { rootDir, walked }: { rootDir: string; walked: WalkedDisks },
): Promise<VolumeStats[]> {
  const folder = join(rootDir, "pods", pod.metadata.uid, "volumes");
  const found = (pod.spec?.volumes ?? []).map(async (volume): Promise<VolumeStats[]> => {
    const kind = (Object.keys(plugins) as (keyof typeof plugins)[]).find((field) => volume[field] !== undefined);
    if (!kind) return claimStats(pod, volume, statuses);
    const path = join(folder, plugins[kind], volume.name);
    const disk = await fileSystem(path).catch(() => undefined);
    if (!disk) return [];
    const used = await walked.get(path, () => diskUsage(path));
    const isLocal = kind === "emptyDir" && volume.emptyDir?.medium !== "Memory";
    return [{ ...disk, name: volume.name, isLocal, usedBytes: used.bytes, inodesUsed: used.inodes }];
  });
  return (await Promise.all(found)).flat();
}

const families: readonly [name: string, help: string, value: (stats: VolumeStats) => number][] = [
  ["available_bytes", "Number of available bytes in the volume", (stats) => stats.availableBytes],
  ["capacity_bytes", "Capacity in bytes of the volume", (stats) => stats.capacityBytes],
  ["inodes", "Maximum number of inodes in the volume", (stats) => stats.inodes],
  ["inodes_free", "Number of free inodes in the volume", (stats) => stats.inodesFree],
  ["inodes_used", "Number of used inodes in the volume", (stats) => stats.inodesUsed],
  ["used_bytes", "Number of used bytes in the volume", (stats) => stats.usedBytes],
];

/** kubelet_volume_stats_*: each claim once, however many pods use it. */
export async function volumeFamilies(lookup: PodLookup): Promise<MetricFamily[]> {
  const byClaim = new Map<string, VolumeStats>();
  for (const pod of lookup.pods()) {
    for (const volume of pod.spec?.volumes ?? []) {
      const statuses = lookup.state(pod.metadata.uid)?.containers ?? [];
      for (const stats of await claimStats(pod, volume, statuses)) {
        byClaim.set(`${stats.pvcRef?.namespace}/${stats.pvcRef?.name}`, stats);
      }
    }
  }
  return families.map(([name, help, value]) => ({
    name: `kubelet_volume_stats_${name}`,
    type: "gauge",
    help: `[ALPHA] ${help}`,
    samples: [...byClaim.values()].map((stats) => {
      const { name: persistentvolumeclaim = "", namespace = "" } = stats.pvcRef ?? {};
      return [{ namespace, persistentvolumeclaim }, value(stats)] as const;
    }),
  }));
}
