// emptyDir volumes: a directory that lives as long as the pod, on disk or in memory.

import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { podLimits } from "@picokube/api/pod";
import { parseQuantity } from "@picokube/api/quantity";
import { isOtherFileSystem, mountTmpfs } from "./mounter.js";
import { setGroupOwnership } from "./ownership.js";
import type { VolumeContext, VolumePlugin } from "./volume-plugin.js";

/** The size of a tmpfs: the least of sizeLimit, what the pod's containers may use and what the node allocates to pods;
 * undefined where none is known. Upstream's calculateEmptyDirMemorySize. */
export function memorySizeBytes(
  { pod, volume }: Pick<VolumeContext, "pod" | "volume">,
  allocatable: string | number | undefined,
): number | undefined {
  const limit = volume.emptyDir?.sizeLimit;
  const containers = pod.spec?.containers ?? [];
  const bounded = containers.length > 0 && containers.every(({ resources }) => resources?.limits?.memory !== undefined);
  const sizes = [
    limit === undefined ? 0 : parseQuantity(limit).value(),
    bounded ? (podLimits(pod).get("memory")?.value() ?? 0) : 0,
    allocatable === undefined ? 0 : parseQuantity(allocatable).value(),
  ].filter((size) => size > 0);
  return sizes.length > 0 ? Math.min(...sizes) : undefined;
}

export const emptyDirPlugin: VolumePlugin = {
  field: "emptyDir",
  refreshes: false,
  async setUp({ pod, volume, volumesDir, sources }) {
    const path = join(volumesDir, "kubernetes.io~empty-dir", volume.name);
    const medium = volume.emptyDir?.medium ?? "";
    if (medium !== "" && medium !== "Memory") throw new Error(`unknown storage medium "${medium}"`);
    const existed = await stat(path).catch(() => undefined);
    await mkdir(path, { recursive: true, mode: 0o750 });
    const fresh = medium === "Memory" ? !(await isOtherFileSystem(path)) : !existed;
    if (!fresh) return path;
    if (medium === "Memory") {
      const sizeBytes = memorySizeBytes({ pod, volume }, sources.objects.node()?.status?.allocatable?.memory);
      await mountTmpfs(path, { mode: 0o777, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
    }
    await chmod(path, 0o777);
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (fsGroup !== undefined) await setGroupOwnership(path, fsGroup, { readOnly: false });
    return path;
  },
};
