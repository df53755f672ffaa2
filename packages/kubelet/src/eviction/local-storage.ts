// Whether a pod uses more of the node's disk than its own limits allow: upstream's localStorageEviction, its order and
// its words. Pure.

import type { Pod } from "@picokube/api/core/v1";
import { podLimits } from "@picokube/api/pod";
import { Quantity } from "@picokube/api/quantity";
import { type FsPart, type PodUsage, podFsUsage } from "./pod-usage.js";

const everything: ReadonlySet<FsPart> = new Set<FsPart>(["rootfs", "logs", "volumes"]);
const resource = "ephemeral-storage";
const bytes = (count: number) => Quantity.fromValue(count, "BinarySI");

/** Whether any limit of the pod concerns the disk: only then need its use be measured. */
export function hasLocalStorageLimit(pod: Pod): boolean {
  return (
    podLimits(pod).has(resource) ||
    (pod.spec?.volumes ?? []).some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && !emptyDir.medium)
  );
}

function emptyDirViolation(pod: Pod, { volumes }: PodUsage): string | undefined {
  for (const { name, emptyDir } of pod.spec?.volumes ?? []) {
    const used = volumes.get(name);
    if (emptyDir?.sizeLimit === undefined || !used) continue;
    const limit = Quantity.parse(emptyDir.sizeLimit);
    if (limit.sign > 0 && bytes(used.bytes).compare(limit) > 0) {
      return `Usage of EmptyDir volume ${JSON.stringify(name)} exceeds the limit ${JSON.stringify(limit.toString())}. `;
    }
  }
  return undefined;
}

function podViolation(pod: Pod, usage: PodUsage): string | undefined {
  const limit = podLimits(pod).get(resource);
  if (!limit || bytes(podFsUsage(usage, everything).bytes).compare(limit) <= 0) return undefined;
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
}

function containerViolation(pod: Pod, usage: PodUsage, dedicatedImageFs: boolean): string | undefined {
  for (const { name, logs, rootfs } of usage.containers) {
    const text = pod.spec?.containers.find((container) => container.name === name)?.resources?.limits?.[resource];
    const limit = Quantity.parse(text ?? "0");
    const used = bytes(logs.bytes + (dedicatedImageFs ? 0 : rootfs.bytes));
    if (limit.isZero || limit.compare(used) >= 0) continue;
    return `Container ${name} exceeded its local ephemeral storage limit ${JSON.stringify(limit.toString())}. `;
  }
  return undefined;
}

export interface LocalStorageViolation {
  /** Upstream's eviction_signal in metrics. */
  readonly signal: "emptydirfs.limit" | "ephemeralpodfs.limit" | "ephemeralcontainerfs.limit";
  readonly message: string;
}

/** Why the pod is to be evicted, and in which words; undefined while it keeps to its limits. */
export function localStorageViolation(
  pod: Pod,
  usage: PodUsage,
  { dedicatedImageFs }: { dedicatedImageFs: boolean },
): LocalStorageViolation | undefined {
  const found = [
    ["emptydirfs.limit", emptyDirViolation(pod, usage)],
    ["ephemeralpodfs.limit", podViolation(pod, usage)],
    ["ephemeralcontainerfs.limit", containerViolation(pod, usage, dedicatedImageFs)],
  ] as const;
  for (const [signal, message] of found) if (message !== undefined) return { signal, message };
  return undefined;
}
