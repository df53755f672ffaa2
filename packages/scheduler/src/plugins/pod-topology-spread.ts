// PodTopologySpread: spreads pods over zones, hosts and whatever else labels tell apart. Pods without constraints of
// their own are spread a little by the cluster's defaults.

import type { Pod, TopologySpreadConstraint } from "@picokube/api/core/v1";
import type { NodeInfo } from "../framework/node-info.js";
import { isNodeEvent, type Lookups, MAX_NODE_SCORE, type Plugin, type Snapshot } from "../framework/plugin.js";
import { type Constraint, constraintsOf, countMatching, nodeCounts } from "./spread-constraint.js";

const REASON = "node(s) didn't match pod topology spread constraints";
const MISSING_LABEL = `${REASON} (missing required label)`;
const HOSTNAME = "kubernetes.io/hostname";

/** Upstream's system defaults (defaultingType System). */
const SYSTEM_DEFAULTS: readonly TopologySpreadConstraint[] = [
  { topologyKey: HOSTNAME, whenUnsatisfiable: "ScheduleAnyway", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 5 },
];

interface Counted {
  readonly constraint: Constraint;
  /** Topology value → matching pods. */
  readonly counts: Map<string, number>;
  readonly selfMatch: number;
}

interface ScoreState {
  readonly counted: readonly Counted[];
  readonly weights: readonly number[];
  readonly ignored: ReadonlySet<string>;
}

const hasAll = ({ labels }: NodeInfo, constraints: readonly Constraint[]) =>
  constraints.every(({ topologyKey }) => labels[topologyKey] !== undefined);

function count(pod: Pod, nodes: readonly NodeInfo[], constraints: readonly Constraint[]): Counted[] {
  return constraints.map((constraint) => {
    const counts = new Map<string, number>();
    for (const node of nodes) {
      const value = node.labels[constraint.topologyKey];
      if (value === undefined || !nodeCounts(pod, node, constraint)) continue;
      const matching = countMatching(node, constraint.selector, pod.metadata.namespace);
      counts.set(value, (counts.get(value) ?? 0) + matching);
    }
    return { constraint, counts, selfMatch: constraint.selector.matches(pod.metadata.labels) ? 1 : 0 };
  });
}

function filterNode(node: NodeInfo, counted: readonly Counted[]) {
  for (const { constraint, counts, selfMatch } of counted) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined) return { reasons: [MISSING_LABEL], unresolvable: true };
    const minimum = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values());
    if ((counts.get(value) ?? 0) + selfMatch - minimum > constraint.maxSkew) return { reasons: [REASON] };
  }
  return undefined;
}

function scoreState(
  pod: Pod,
  {
    nodes,
    snapshot,
    constraints,
    requireAll,
  }: {
    nodes: readonly NodeInfo[];
    snapshot: Snapshot;
    constraints: readonly Constraint[];
    requireAll: boolean;
  },
): ScoreState {
  const ignored = new Set(requireAll ? nodes.filter((node) => !hasAll(node, constraints)).map(({ name }) => name) : []);
  const scored = nodes.filter(({ name }) => !ignored.has(name));
  const considered = requireAll ? snapshot.nodes.filter((node) => hasAll(node, constraints)) : snapshot.nodes;
  const weights = constraints.map(({ topologyKey }) => {
    const domains =
      topologyKey === HOSTNAME
        ? scored.length
        : new Set(scored.map(({ labels }) => labels[topologyKey]).filter((value) => value !== undefined)).size;
    return Math.log(domains + 2);
  });
  return { counted: count(pod, considered, constraints), weights, ignored };
}

/** The plugin; defaults null means that pods without constraints are not spread. */
export function podTopologySpread({
  siblingSelector,
  defaultConstraints,
}: {
  siblingSelector: Lookups["siblingSelector"];
  /** Left out: the system's. */
  defaultConstraints?: readonly TopologySpreadConstraint[];
}): Plugin<readonly Counted[], ScoreState> {
  const system = defaultConstraints === undefined;
  const constraintsFor = (pod: Pod, whenUnsatisfiable: string) => {
    const own = pod.spec?.topologySpreadConstraints;
    if (own?.length) return { constraints: constraintsOf(pod, own, whenUnsatisfiable), requireAll: true };
    const selector = siblingSelector(pod);
    const defaults = constraintsOf(pod, defaultConstraints ?? SYSTEM_DEFAULTS, whenUnsatisfiable);
    const constraints = selector ? defaults.map((constraint) => ({ ...constraint, selector })) : [];
    return { constraints, requireAll: !system };
  };
  return {
    name: "PodTopologySpread",
    preFilter({ pod }, { nodes }) {
      const { constraints } = constraintsFor(pod, "DoNotSchedule");
      if (constraints.length === 0) return "skip";
      return {
        state: count(
          pod,
          nodes.filter((node) => hasAll(node, constraints)),
          constraints,
        ),
      };
    },
    filter: (_, node, counted) => filterNode(node, counted),
    preScore({ pod }, nodes, snapshot) {
      const found = constraintsFor(pod, "ScheduleAnyway");
      return found.constraints.length === 0 ? "skip" : { state: scoreState(pod, { nodes, snapshot, ...found }) };
    },
    score(_, node, { counted, weights, ignored }) {
      if (ignored.has(node.name)) return 0;
      let score = 0;
      counted.forEach(({ constraint, counts }, index) => {
        const value = node.labels[constraint.topologyKey];
        if (value !== undefined) score += (counts.get(value) ?? 0) * weights[index]! + (constraint.maxSkew - 1);
      });
      return Math.round(score);
    },
    normalize(scores, { ignored }, nodes) {
      const counted = scores.filter((_, index) => !ignored.has(nodes[index]!.name));
      const [minimum, maximum] = [Math.min(...counted), Math.max(...counted)];
      return scores.map((score, index) => {
        if (ignored.has(nodes[index]!.name)) return 0;
        return maximum === 0 ? MAX_NODE_SCORE : Math.trunc((MAX_NODE_SCORE * (maximum + minimum - score)) / maximum);
      });
    },
    mayHelp({ pod }, event) {
      // A domain that is gone no longer counts as the emptiest.
      if (isNodeEvent(event) || event.resource === "nodeGone") return true;
      if (event.resource !== "assignedPod") return false;
      const { constraints } = constraintsFor(pod, "DoNotSchedule");
      const changed = [event.previous, event.current].filter((other) => other !== undefined);
      return changed.some(({ metadata }) =>
        constraints.some(
          ({ selector }) => metadata.namespace === pod.metadata.namespace && selector.matches(metadata.labels),
        ),
      );
    },
  };
}
