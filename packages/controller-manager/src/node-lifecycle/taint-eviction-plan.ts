// When a Node's NoExecute taints end a pod. Pure: upstream's taint manager.

import { toleratesTaint } from "@picokube/api/core/tolerations";
import type { Pod, Taint } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";

/** How long the pod bears the taints: 0 not at all, Infinity for ever. */
export function toleratedMs(pod: Pod, taints: readonly Taint[]): number {
  let shortestMs = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    if (taint.effect !== "NoExecute") continue;
    const toleration = pod.spec?.tolerations?.find((each) => toleratesTaint(each, taint));
    if (!toleration) return 0;
    if (toleration.tolerationSeconds === undefined || toleration.tolerationSeconds === null) continue;
    shortestMs = Math.min(shortestMs, Math.max(0, toleration.tolerationSeconds) * 1000);
  }
  return shortestMs;
}

/** From when that time counts: the first of the taints, or the pod's arrival on a Node that had it already. */
export function tolerationStartMs(pod: Pod, taints: readonly Taint[], nowMs: number): number {
  const added = taints
    .filter(({ effect }) => effect === "NoExecute")
    .map(({ timeAdded }) => Date.parse(timeAdded ?? "") || nowMs);
  const scheduled = podCondition(pod.status, "PodScheduled")?.lastTransitionTime ?? pod.metadata.creationTimestamp;
  return Math.min(nowMs, Math.max(Math.min(nowMs, ...added), Date.parse(scheduled) || 0));
}
