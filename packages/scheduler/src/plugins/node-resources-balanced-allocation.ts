// NodeResourcesBalancedAllocation: prefers nodes whose cpu and memory would be used to like degrees.

import type { NodeInfo } from "../framework/node-info.js";
import { MAX_NODE_SCORE, type Plugin } from "../framework/plugin.js";
import type { PodInfo } from "../framework/pod-info.js";

const RESOURCES = ["cpu", "memory"];

function usedShares(pod: PodInfo, node: NodeInfo): number[] {
  return RESOURCES.flatMap((name) => {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0) return [];
    const requested = (node.requested.get(name) ?? 0) + (pod.requests.get(name) ?? 0);
    return [Math.min(requested / capacity, 1)];
  });
}

export const nodeResourcesBalancedAllocation: Plugin = {
  name: "NodeResourcesBalancedAllocation",
  score(pod, node) {
    const shares = usedShares(pod, node);
    const deviation = shares.length === 2 ? Math.abs(shares[0]! - shares[1]!) / 2 : 0;
    return Math.trunc((1 - deviation) * MAX_NODE_SCORE);
  },
};
