// What a pod uses, as eviction weighs it. Types and sums alone; measuring is measure-pods.ts's.

import type { Pod, Volume } from "@picokube/api/core/v1";

export interface FsUsage {
  readonly bytes: number;
  readonly inodes: number;
}

export interface ContainerUsage {
  readonly name: string;
  /** The working set. */
  readonly memoryBytes: number;
  readonly rootfs: FsUsage;
  readonly logs: FsUsage;
}

export interface PodUsage {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly containers: readonly ContainerUsage[];
  /** Of volumes on the node's own disk, by name. */
  readonly volumes: ReadonlyMap<string, FsUsage>;
}

/** Undefined for a pod of which nothing was measured: such pods go first. */
export type UsageOf = (pod: Pod) => PodUsage | undefined;

/** Which file systems' use counts against a pod. */
export type FsPart = "rootfs" | "logs" | "volumes";

export const noFsUsage: FsUsage = { bytes: 0, inodes: 0 };

export function addFsUsage(a: FsUsage, b: FsUsage): FsUsage {
  return { bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes };
}

/** Upstream's IsLocalEphemeralVolume: what lies on the node's disk and goes with the pod. */
export function isLocalEphemeral({ emptyDir, configMap }: Volume): boolean {
  return (emptyDir !== undefined && !emptyDir.medium) || configMap !== undefined;
}

/** The parts' sum over the pod: upstream's podDiskUsage. */
export function podFsUsage({ containers, volumes }: PodUsage, parts: ReadonlySet<FsPart>): FsUsage {
  const counted = [
    ...(parts.has("rootfs") ? containers.map(({ rootfs }) => rootfs) : []),
    ...(parts.has("logs") ? containers.map(({ logs }) => logs) : []),
    ...(parts.has("volumes") ? volumes.values() : []),
  ];
  return counted.reduce(addFsUsage, noFsUsage);
}
