// The pod that empties a volume under the reclaim policy Recycle. Upstream's NewPersistentVolumeRecyclerPodTemplate and
// RecycleVolumeByWatchingPodUntilCompletion; the policy is deprecated, the words are not.

import type { PersistentVolume, Pod } from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { parseQuantity } from "@picokube/api/quantity";

const prefix = "recycler-for-";
const gibibyte = 1024 ** 3;

export const recyclerNamespace = "default";

export interface RecyclerTimes {
  readonly minimumSeconds: number;
  /** More for each GiB of the volume. */
  readonly perGibibyteSeconds: number;
}

export const recyclerPodName = (volume: string) => `${prefix}${volume}`;

/** The volume that a pod is to empty, by its name. */
export function recycledVolume({ metadata }: Pod): string | undefined {
  const ours = metadata.namespace === recyclerNamespace && metadata.name.startsWith(prefix);
  return ours ? metadata.name.slice(prefix.length) : undefined;
}

/** Upstream's template when no file gives another. */
export const defaultRecyclerSpec: NonNullable<Pod["spec"]> = {
  restartPolicy: "Never",
  volumes: [{ name: "vol" }],
  containers: [
    {
      name: "pv-recycler",
      image: "registry.k8s.io/build-image/debian-base:bookworm-v1.0.2",
      command: ["/bin/sh"],
      args: ["-c", 'test -e /scrub && find /scrub -mindepth 1 -delete && test -z "$(ls -A /scrub)" || exit 1'],
      volumeMounts: [{ name: "vol", mountPath: "/scrub" }],
    },
  ],
};

/** The pod for one volume; its first volume becomes the one to empty. */
export function recyclerPod(
  volume: PersistentVolume,
  { spec, times }: { spec: NonNullable<Pod["spec"]>; times: RecyclerTimes },
): NewObject<Pod> {
  const { hostPath, nfs, capacity, nodeAffinity } = volume.spec!;
  const [first, ...others] = spec.volumes ?? [];
  const gibibytes = Math.trunc(parseQuantity(capacity?.storage ?? "0").value() / gibibyte);
  const seconds = Math.max(times.minimumSeconds, times.perGibibyteSeconds * gibibytes);
  const source = nfs ? { nfs } : { hostPath: { path: hostPath!.path } };
  // Upstream lets the pod run anywhere; a volume that says where it lies is emptied there.
  const required = nodeAffinity?.required;
  return {
    metadata: { name: recyclerPodName(volume.metadata.name), namespace: recyclerNamespace },
    spec: {
      ...spec,
      activeDeadlineSeconds: seconds,
      volumes: [{ name: first?.name ?? "vol", ...source }, ...others],
      ...(required ? { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } } : {}),
    },
  };
}
