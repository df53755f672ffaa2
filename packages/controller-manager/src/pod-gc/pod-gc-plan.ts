// Which pods no kubelet will ever end. Pure: upstream's podgc.

import type { Node, Pod } from "@picokube/api/core/v1";
import { isPodTerminal } from "@picokube/api/pod";
import { findCondition } from "../conditions.js";

export type GcReason = "Terminated" | "OutOfService" | "Orphaned" | "Unscheduled";

export interface Doomed {
  readonly pod: Pod;
  readonly reason: GcReason;
}

const outOfService = "node.kubernetes.io/out-of-service";

/** Each pod at most once; nodes by name, isGone says that a name has been missing for long enough. */
export function planPodGc({
  pods,
  nodes,
  threshold,
  isGone,
}: {
  pods: readonly Pod[];
  nodes: ReadonlyMap<string, Node>;
  /** How many terminated pods may stay; all when 0 or less. */
  threshold: number;
  isGone: (nodeName: string) => boolean;
}): Doomed[] {
  const doomed = new Map<string, Doomed>();
  const add = (pod: Pod, reason: GcReason) => {
    if (!doomed.has(pod.metadata.uid)) doomed.set(pod.metadata.uid, { pod, reason });
  };
  if (threshold > 0) for (const pod of surplus(pods.filter(isPodTerminal), threshold)) add(pod, "Terminated");
  for (const pod of pods) {
    const { nodeName } = pod.spec ?? {};
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    if (nodeName && isGone(nodeName)) add(pod, "Orphaned");
    else if (nodeName && terminating && isOutOfService(nodes.get(nodeName))) add(pod, "OutOfService");
    else if (!nodeName && terminating) add(pod, "Unscheduled");
  }
  return [...doomed.values()];
}

// Those that were evicted go first, then the oldest.
function surplus(terminated: readonly Pod[], threshold: number): Pod[] {
  const order = ({ status, metadata }: Pod) =>
    `${status?.reason === "Evicted" ? 0 : 1}${metadata.creationTimestamp}${metadata.name}`;
  return [...terminated]
    .sort((a, b) => (order(a) < order(b) ? -1 : 1))
    .slice(0, Math.max(0, terminated.length - threshold));
}

// An admin's word that the machine is off: its pods cannot be running.
function isOutOfService(node: Node | undefined): boolean {
  if (!node || findCondition(node.status?.conditions, "Ready")?.status === "True") return false;
  return (node.spec?.taints ?? []).some(({ key }) => key === outOfService);
}
