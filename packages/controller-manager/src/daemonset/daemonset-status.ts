// The numbers of a DaemonSet's status. Pure (upstream: updateDaemonSetStatus).

import type { DaemonSet } from "@picokube/api/apps/v1";
import { isPodAvailable, isPodReady } from "@picokube/api/pod";
import { byPlaceAndAge, isUpdated } from "./daemon-pod.js";
import type { Observed } from "./daemonset-plan.js";
import { nodeFit } from "./node-fit.js";

export type DaemonSetStatus = NonNullable<DaemonSet["status"]>;

/** Of each node the oldest pod counts. Without acted the generation stays as observed before: this one was only looked at. */
export function daemonSetStatus(
  { daemonSet, nodes, podsByNode, hash, nowMs }: Observed,
  { acted }: { acted: boolean },
): DaemonSetStatus {
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const [oldest] = [...(podsByNode.get(node.metadata.name) ?? [])].sort(byPlaceAndAge);
    if (!nodeFit(node, daemonSet).shouldRun) {
      if (oldest) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (!oldest) continue;
    counts.current++;
    if (isPodReady(oldest)) counts.ready++;
    if (isPodAvailable(oldest, { minReadySeconds, nowMs })) counts.available++;
    if (isUpdated(oldest, hash)) counts.updated++;
  }
  const { updatedNumberScheduled: _u, numberAvailable: _a, numberUnavailable: _n, ...kept } = daemonSet.status ?? {};
  const unavailable = counts.desired - counts.available;
  return {
    ...kept,
    desiredNumberScheduled: counts.desired,
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    numberReady: counts.ready,
    // As Go writes them: left out when they are 0.
    ...(counts.updated ? { updatedNumberScheduled: counts.updated } : {}),
    ...(counts.available ? { numberAvailable: counts.available } : {}),
    ...(unavailable ? { numberUnavailable: unavailable } : {}),
    ...(acted ? { observedGeneration: daemonSet.metadata.generation ?? 0 } : {}),
  };
}
