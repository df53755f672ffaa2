// InterPodAffinity: pods that want to stand with, or apart from, other pods; and those that already stand there and
// have a say themselves.

import type { Labels } from "@picokube/api/selectors/labels";
import type { NodeInfo } from "../framework/node-info.js";
import { isNodeEvent, MAX_NODE_SCORE, type Plugin, type Snapshot } from "../framework/plugin.js";
import { type AffinityTerm, type PodInfo, podInfoOf, termMatches } from "../framework/pod-info.js";

const AFFINITY = "node(s) didn't match pod affinity rules";
const ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules";
const EXISTING_ANTI_AFFINITY = "node(s) didn't satisfy existing pods anti-affinity rules";

type NamespaceLabels = (namespace: string) => Labels;

/** Numbers by topology key and value. */
class TopologyCounts {
  readonly #counts = new Map<string, Map<string, number>>();

  add({ labels }: NodeInfo, topologyKey: string, amount: number): void {
    const value = labels[topologyKey];
    if (value === undefined) return;
    const values = this.#counts.get(topologyKey) ?? new Map<string, number>();
    values.set(value, (values.get(value) ?? 0) + amount);
    this.#counts.set(topologyKey, values);
  }

  at({ labels }: NodeInfo, topologyKey: string): number {
    const value = labels[topologyKey];
    return value === undefined ? 0 : (this.#counts.get(topologyKey)?.get(value) ?? 0);
  }

  /** All that applies to the node, whatever the key. */
  sum(node: NodeInfo): number {
    let sum = 0;
    for (const topologyKey of this.#counts.keys()) sum += this.at(node, topologyKey);
    return sum;
  }

  get empty(): boolean {
    return this.#counts.size === 0;
  }
}

interface FilterState {
  affinity: TopologyCounts;
  antiAffinity: TopologyCounts;
  existingAntiAffinity: TopologyCounts;
}

function countForFilter(incoming: PodInfo, { nodes }: Snapshot, namespaceLabels: NamespaceLabels): FilterState {
  const state = {
    affinity: new TopologyCounts(),
    antiAffinity: new TopologyCounts(),
    existingAntiAffinity: new TopologyCounts(),
  };
  const { requiredAffinity, requiredAntiAffinity, pod } = incoming;
  for (const node of nodes) {
    for (const existing of node.pods.values()) {
      for (const term of existing.requiredAntiAffinity) {
        if (termMatches(term, pod, namespaceLabels)) state.existingAntiAffinity.add(node, term.topologyKey, 1);
      }
      // Affinity counts only pods that all terms mean; anti-affinity counts term by term.
      if (
        requiredAffinity.length > 0 &&
        requiredAffinity.every((term) => termMatches(term, existing.pod, namespaceLabels))
      ) {
        for (const { topologyKey } of requiredAffinity) state.affinity.add(node, topologyKey, 1);
      }
      for (const term of requiredAntiAffinity) {
        if (termMatches(term, existing.pod, namespaceLabels)) state.antiAffinity.add(node, term.topologyKey, 1);
      }
    }
  }
  return state;
}

function satisfiesAffinity(
  { requiredAffinity, pod }: PodInfo,
  node: NodeInfo,
  { counts, namespaceLabels }: { counts: TopologyCounts; namespaceLabels: NamespaceLabels },
): boolean {
  if (requiredAffinity.some(({ topologyKey }) => node.labels[topologyKey] === undefined)) return false;
  if (requiredAffinity.every(({ topologyKey }) => counts.at(node, topologyKey) > 0)) return true;
  // The first of a group that wants to be together may go anywhere.
  return counts.empty && requiredAffinity.every((term) => termMatches(term, pod, namespaceLabels));
}

function countForScore(
  incoming: PodInfo,
  snapshot: Snapshot,
  { namespaceLabels, hardWeight }: { namespaceLabels: NamespaceLabels; hardWeight: number },
): TopologyCounts {
  const counts = new TopologyCounts();
  const has = incoming.preferredAffinity.length > 0 || incoming.preferredAntiAffinity.length > 0;
  for (const node of has ? snapshot.nodes : snapshot.nodesWithAffinity) {
    for (const existing of node.pods.values()) {
      const weigh = (terms: readonly AffinityTerm[], target: PodInfo, weightOf: (term: AffinityTerm) => number) => {
        for (const term of terms) {
          if (termMatches(term, target.pod, namespaceLabels)) counts.add(node, term.topologyKey, weightOf(term));
        }
      };
      weigh(incoming.preferredAffinity, existing, ({ weight }) => weight);
      weigh(incoming.preferredAntiAffinity, existing, ({ weight }) => -weight);
      if (hardWeight > 0) weigh(existing.requiredAffinity, incoming, () => hardWeight);
      weigh(existing.preferredAffinity, incoming, ({ weight }) => weight);
      weigh(existing.preferredAntiAffinity, incoming, ({ weight }) => -weight);
    }
  }
  return counts;
}

/** The plugin; hardPodAffinityWeight is what a standing pod's required affinity counts in scores. */
export function interPodAffinity({
  namespaceLabels,
  hardPodAffinityWeight = 1,
}: {
  namespaceLabels: NamespaceLabels;
  hardPodAffinityWeight?: number;
}): Plugin<FilterState, TopologyCounts> {
  return {
    name: "InterPodAffinity",
    preFilter(incoming, snapshot) {
      const has = incoming.requiredAffinity.length > 0 || incoming.requiredAntiAffinity.length > 0;
      if (!has && snapshot.nodesWithAffinity.length === 0) return "skip";
      const nodes = has ? snapshot.nodes : snapshot.nodesWithAffinity;
      const state = countForFilter(incoming, { ...snapshot, nodes }, namespaceLabels);
      return !has && state.existingAntiAffinity.empty ? "skip" : { state };
    },
    filter(incoming, node, { affinity, antiAffinity, existingAntiAffinity }) {
      if (!satisfiesAffinity(incoming, node, { counts: affinity, namespaceLabels })) {
        return { reasons: [AFFINITY], unresolvable: true };
      }
      if (incoming.requiredAntiAffinity.some(({ topologyKey }) => antiAffinity.at(node, topologyKey) > 0)) {
        return { reasons: [ANTI_AFFINITY] };
      }
      return existingAntiAffinity.sum(node) > 0 ? { reasons: [EXISTING_ANTI_AFFINITY] } : undefined;
    },
    preScore(incoming, _, snapshot) {
      const counts = countForScore(incoming, snapshot, { namespaceLabels, hardWeight: hardPodAffinityWeight });
      return counts.empty ? "skip" : { state: counts };
    },
    score: (_, node, counts) => counts.sum(node),
    normalize(scores) {
      const [minimum, maximum] = [Math.min(...scores), Math.max(...scores)];
      const range = maximum - minimum;
      return scores.map((score) => (range === 0 ? 0 : Math.trunc((MAX_NODE_SCORE * (score - minimum)) / range)));
    },
    mayHelp(incoming, event) {
      if (isNodeEvent(event)) return true;
      if (event.resource !== "assignedPod") return false;
      const { previous, current } = event;
      const wanted = (pod: typeof current) =>
        pod !== undefined && incoming.requiredAffinity.some((term) => termMatches(term, pod, namespaceLabels));
      if (wanted(current) && !(previous && wanted(previous))) return true;
      if (!previous) return false;
      const avoided = incoming.requiredAntiAffinity.some((term) => termMatches(term, previous, namespaceLabels));
      const avoids = podInfoOf(previous).requiredAntiAffinity.some((term) =>
        termMatches(term, incoming.pod, namespaceLabels),
      );
      return avoided || avoids;
    },
  };
}
