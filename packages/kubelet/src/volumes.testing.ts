// What tests of volumes share: a busybox container that mounts them. Imported by tests alone.

import type { Volume, VolumeMount } from "@picokube/api/core/v1";
import { sleeper } from "./kubelet.testing.js";

/** Each volume at a place of its name. */
export const mountsOf = (volumes: readonly Volume[]): VolumeMount[] =>
  volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));

/** The part of a pod's spec that has the volumes and one container with these mounts. */
export const using = (volumes: Volume[], volumeMounts: VolumeMount[] = mountsOf(volumes)) => ({
  volumes,
  containers: [{ ...sleeper(), volumeMounts }],
});
