// Measures what pods use: memory and processes by the runtime's figures, disks by walking what is on them. Decides
// nothing; called only where something hangs on the answer, for walking is dear.

import { join } from "node:path";
import type { Pod } from "@picokube/api/core/v1";
import type { ContainerStatus, Runtime } from "../cri/runtime.js";
import { diskUsage } from "../disk-usage.js";
import type { PodLookup } from "../parts.js";
import {
  type ContainerUsage,
  type FsUsage,
  isLocalEphemeral,
  noFsUsage,
  type PodUsage,
  type UsageOf,
} from "./pod-usage.js";

export interface MeasuringTools {
  readonly runtime: Pick<Runtime, "stats" | "containerDiskUsage">;
  readonly lookup: Pick<PodLookup, "state">;
  readonly rootDir: string;
}

/** What to measure: disks are left out where only memory or processes count. */
export interface Measurements {
  readonly disks: boolean;
}

const pluginFolder = { emptyDir: "kubernetes.io~empty-dir", configMap: "kubernetes.io~configmap" };

async function volumeUsage(pod: Pod, rootDir: string): Promise<Map<string, FsUsage>> {
  const volumes = (pod.spec?.volumes ?? []).filter(isLocalEphemeral);
  const folder = join(rootDir, "pods", pod.metadata.uid, "volumes");
  const used = volumes.map(async (volume): Promise<[string, FsUsage]> => {
    const plugin = volume.emptyDir ? pluginFolder.emptyDir : pluginFolder.configMap;
    return [volume.name, await diskUsage(join(folder, plugin, volume.name))];
  });
  return new Map(await Promise.all(used));
}

function newestRunning(containers: readonly ContainerStatus[]): ContainerStatus[] {
  const newest = new Map<string, ContainerStatus>();
  for (const status of containers) if (!newest.has(status.name)) newest.set(status.name, status);
  return [...newest.values()];
}

/** The pods' use as of now; a pod without containers has none. */
export async function measurePods(
  pods: readonly Pod[],
  { runtime, lookup, rootDir }: MeasuringTools,
  { disks }: Measurements,
): Promise<UsageOf> {
  const figures = new Map((await runtime.stats()).map((one) => [one.containerId, one]));
  const measure = async (pod: Pod): Promise<PodUsage | undefined> => {
    const statuses = newestRunning(lookup.state(pod.metadata.uid)?.containers ?? []);
    if (statuses.length === 0) return undefined;
    const containers = statuses.map(async ({ id, name }): Promise<ContainerUsage> => {
      const none = { rootfs: noFsUsage, logs: noFsUsage };
      const { rootfs, logs } = disks ? await runtime.containerDiskUsage(id).catch(() => none) : none;
      return { name, memoryBytes: figures.get(id)?.memoryWorkingSetBytes ?? 0, rootfs, logs };
    });
    const measured = await Promise.all(containers);
    return {
      memoryBytes: measured.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
      processes: statuses.reduce((sum, { id }) => sum + (figures.get(id)?.processes ?? 0), 0),
      containers: measured,
      volumes: disks ? await volumeUsage(pod, rootDir) : new Map(),
    };
  };
  const usages = new Map<string, PodUsage | undefined>();
  for (const pod of pods) usages.set(pod.metadata.uid, await measure(pod));
  return (pod) => usages.get(pod.metadata.uid);
}
