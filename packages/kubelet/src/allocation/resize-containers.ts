// Carries a resize out on running containers and the cgroup around them: what grows is given room first, what shrinks
// is narrowed last (upstream's doPodResizeAction). Decides nothing.

import type { Pod } from "@picokube/api/core/v1";
import { containerLimits } from "../cgroups/container-resources.js";
import { limitPodCgroup, podCgroupParent } from "../cgroups/pod-cgroup.js";
import type { PodContext } from "../pods/pod-context.js";
import { resizableContainers } from "./allocated-pods.js";

type Resizing = Pick<PodContext, "runtime" | "cgroups">;

/** Gives the pod's cgroup at least what it was granted; with shrink, no more than that. */
export function resizePodCgroup({ cgroups }: Resizing, pod: Pod, { shrink }: { shrink: boolean }): void {
  if (cgroups?.driver !== "cgroupfs") return;
  limitPodCgroup(pod, podCgroupParent(pod, cgroups), { onlyWiden: !shrink });
}

/** Updates these containers in place. Rejects with the engine's words for the first that could not be. */
export async function resizeContainers(
  context: Resizing,
  pod: Pod,
  containers: readonly { readonly id: string; readonly name: string }[],
): Promise<void> {
  resizePodCgroup(context, pod, { shrink: false });
  for (const { id, name } of containers) {
    const container = resizableContainers(pod).find((candidate) => candidate.name === name);
    if (container) await context.runtime.updateContainer(id, containerLimits(container));
  }
  resizePodCgroup(context, pod, { shrink: true });
}
