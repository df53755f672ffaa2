// NodeResourcesFit: the node has what the pod requests; prefers the node with the most left (LeastAllocated) or, as
// configured, with the least (MostAllocated).

import type { NodeInfo } from "../framework/node-info.js";
import { nodeInfoOf } from "../framework/node-info.js";
import { isNodeEvent, MAX_NODE_SCORE, type Plugin } from "../framework/plugin.js";
import type { Amounts, PodInfo } from "../framework/pod-info.js";
import { podInfoOf } from "../framework/pod-info.js";

export interface ScoringStrategy {
  readonly type: "LeastAllocated" | "MostAllocated";
  readonly resources: readonly { readonly name: string; readonly weight: number }[];
}

const DEFAULT_STRATEGY: ScoringStrategy = {
  type: "LeastAllocated",
  resources: [
    { name: "cpu", weight: 1 },
    { name: "memory", weight: 1 },
  ],
};

interface Shortage {
  readonly reason: string;
  readonly unresolvable: boolean;
}

/** Everything the node lacks for the pod. unresolvable: even an empty node of that size would lack it. */
function shortages({ requests }: Pick<PodInfo, "requests">, node: NodeInfo): Shortage[] {
  const lacking: Shortage[] = [];
  const maxPods = node.allocatable.get("pods") ?? 0;
  if (node.pods.size + 1 > maxPods) lacking.push({ reason: "Too many pods", unresolvable: false });
  for (const [name, wanted] of requests) {
    if (wanted === 0 || name === "pods") continue;
    const allocatable = node.allocatable.get(name) ?? 0;
    if (wanted > allocatable - (node.requested.get(name) ?? 0)) {
      lacking.push({ reason: `Insufficient ${name}`, unresolvable: wanted > allocatable });
    }
  }
  return lacking;
}

function asks(name: string, pod: PodInfo, node: NodeInfo): number {
  const counted = (nonZero: Amounts, plain: Amounts) =>
    (name === "cpu" || name === "memory" ? nonZero : plain).get(name) ?? 0;
  return counted(pod.nonZeroRequests, pod.requests) + counted(node.nonZeroRequested, node.requested);
}

function allocationScore(pod: PodInfo, node: NodeInfo, { type, resources }: ScoringStrategy): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight } of resources) {
    const capacity = node.allocatable.get(name) ?? 0;
    if (capacity === 0) continue;
    const requested = asks(name, pod, node);
    const share = type === "LeastAllocated" ? capacity - requested : Math.min(requested, capacity);
    sum += Math.trunc((Math.max(share, 0) * MAX_NODE_SCORE) / capacity) * weight;
    weights += weight;
  }
  return weights === 0 ? 0 : Math.trunc(sum / weights);
}

/** The plugin with a strategy for its scores. */
export function nodeResourcesFit(strategy: ScoringStrategy = DEFAULT_STRATEGY): Plugin {
  return {
    name: "NodeResourcesFit",
    filter(pod, node) {
      const lacking = shortages(pod, node);
      if (lacking.length === 0) return undefined;
      return {
        reasons: lacking.map(({ reason }) => reason),
        unresolvable: lacking.some(({ unresolvable }) => unresolvable),
      };
    },
    score: (pod, node) => allocationScore(pod, node, strategy),
    mayHelp(pod, event) {
      // A node that could hold the pod if it were empty, or a pod that gave something back.
      if (isNodeEvent(event)) return shortages(pod, nodeInfoOf(event.current)).length === 0;
      if (event.resource !== "assignedPod" || !event.previous) return false;
      if (!event.current) return true;
      const [before, after] = [podInfoOf(event.previous).requests, podInfoOf(event.current).requests];
      return [...before].some(([name, amount]) => amount > (after.get(name) ?? 0));
    },
  };
}
