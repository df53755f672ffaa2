// One scheduling cycle: which node a pod goes to, or why to none. Pure over a snapshot; binds nothing, keeps nothing.

import type { Diagnosis, NodeRejection } from "./framework/fit-error.js";
import type { NodeInfo } from "./framework/node-info.js";
import type { Plugin, Snapshot, WeightedPlugin } from "./framework/plugin.js";
import type { PodInfo } from "./framework/pod-info.js";

export interface NodeScore {
  readonly node: string;
  readonly total: number;
  /** Plugin → weighted score. */
  readonly scores: Readonly<Record<string, number>>;
}

export type Verdict =
  | {
      readonly kind: "scheduled";
      readonly node: string;
      readonly scores: readonly NodeScore[];
      readonly evaluated: number;
      readonly feasible: number;
      /** What each plugin's preFilter found, for those that were not skipped. */
      readonly states: ReadonlyMap<string, unknown>;
    }
  | { readonly kind: "unschedulable"; readonly diagnosis: Diagnosis };

export interface CycleOptions {
  readonly plugins: readonly WeightedPlugin[];
  readonly snapshot: Snapshot;
  /** Where the search begins, so that no node is always last. */
  readonly startIndex?: number;
  /** 0: upstream's adaptive share. */
  readonly percentageOfNodesToScore?: number;
  /** Between 0 and 1. */
  readonly random?: () => number;
}

const MIN_FEASIBLE_NODES = 100;

/** Upstream's numFeasibleNodesToFind. */
export function feasibleNodesToFind(nodeCount: number, percentage = 0): number {
  if (nodeCount < MIN_FEASIBLE_NODES) return nodeCount;
  const share = percentage > 0 ? percentage : Math.max(50 - Math.trunc(nodeCount / 125), 5);
  return share >= 100 ? nodeCount : Math.max(Math.trunc((nodeCount * share) / 100), MIN_FEASIBLE_NODES);
}

interface Prepared {
  plugin: Plugin;
  state: unknown;
}

/** Runs preFilter of all plugins: their states and the nodes that are left, or the rejection of one. */
function prepareFilters(pod: PodInfo, { plugins, snapshot }: CycleOptions) {
  const filters: Prepared[] = [];
  const states = new Map<string, unknown>();
  const narrowing: string[] = [];
  let nodeNames: ReadonlySet<string> | undefined;
  for (const { plugin } of plugins) {
    const result = plugin.preFilter?.(pod, snapshot);
    if (result === "skip") continue;
    if (result && "reject" in result) {
      return { rejected: { plugin: plugin.name, message: result.reject.reasons.join(", ") } };
    }
    if (result?.nodeNames) {
      const names: ReadonlySet<string> = result.nodeNames;
      nodeNames = nodeNames ? new Set([...nodeNames].filter((name) => names.has(name))) : names;
      narrowing.push(plugin.name);
    }
    states.set(plugin.name, result?.state);
    if (plugin.filter) filters.push({ plugin, state: result?.state });
  }
  return { filters, states, narrowing: narrowing.sort(), nodeNames };
}

function firstRejection(pod: PodInfo, node: NodeInfo, filters: readonly Prepared[]): NodeRejection | undefined {
  for (const { plugin, state } of filters) {
    const rejection = plugin.filter!(pod, node, state);
    if (rejection) return { ...rejection, plugin: plugin.name };
  }
  return undefined;
}

/** Scores the feasible nodes by all plugins. */
function scoreNodes(pod: PodInfo, nodes: readonly NodeInfo[], { plugins, snapshot }: CycleOptions): NodeScore[] {
  const columns: { name: string; scores: number[] }[] = [];
  for (const { plugin, weight } of plugins) {
    if (!plugin.score || weight === 0) continue;
    const prepared = plugin.preScore?.(pod, nodes, snapshot);
    if (prepared === "skip") continue;
    const state = prepared?.state;
    const raw = nodes.map((node) => plugin.score!(pod, node, state));
    const normal = plugin.normalize ? plugin.normalize(raw, state, nodes) : raw;
    columns.push({ name: plugin.name, scores: normal.map((score) => score * weight) });
  }
  return nodes.map((node, index) => ({
    node: node.name,
    total: columns.reduce((sum, { scores }) => sum + scores[index]!, 0),
    scores: Object.fromEntries(columns.map(({ name, scores }) => [name, scores[index]!])),
  }));
}

function pickHighest(scores: readonly NodeScore[], random: () => number): NodeScore {
  const best = Math.max(...scores.map(({ total }) => total));
  const equal = scores.filter(({ total }) => total === best);
  return equal[Math.floor(random() * equal.length)]!;
}

/** Finds the best node for the pod. */
export function runCycle(pod: PodInfo, options: CycleOptions): Verdict {
  const { snapshot, startIndex = 0, percentageOfNodesToScore, random = Math.random } = options;
  const nodeCount = snapshot.nodes.length;
  const unschedulable = (diagnosis: Omit<Diagnosis, "nodeCount">): Verdict => ({
    kind: "unschedulable",
    diagnosis: { nodeCount, ...diagnosis },
  });
  if (nodeCount === 0) return unschedulable({ rejections: new Map(), plugins: new Set() });
  const prepared = prepareFilters(pod, options);
  if (prepared.rejected) {
    const { plugin, message } = prepared.rejected;
    return unschedulable({ rejections: new Map(), preFilterMessage: message, plugins: new Set([plugin]) });
  }
  const { filters, states, narrowing, nodeNames } = prepared;
  const candidates = nodeNames
    ? [...nodeNames].map((name) => snapshot.get(name)).filter((node) => node !== undefined)
    : [...snapshot.nodes.slice(startIndex % nodeCount), ...snapshot.nodes.slice(0, startIndex % nodeCount)];
  const wanted = feasibleNodesToFind(candidates.length, percentageOfNodesToScore);
  const rejections = new Map<string, NodeRejection>();
  const feasible: NodeInfo[] = [];
  let evaluated = 0;
  for (const node of candidates) {
    if (feasible.length === wanted) break;
    evaluated++;
    const rejection = firstRejection(pod, node, filters);
    if (rejection) rejections.set(node.name, rejection);
    else feasible.push(node);
  }
  if (feasible.length === 0) {
    const plugins = new Set([...rejections.values()].map(({ plugin }) => plugin));
    const reason = `node(s) didn't satisfy plugin(s) [${narrowing.join(" ")}]`;
    const absent = nodeNames && { plugin: narrowing[0]!, reasons: [reason], unresolvable: true };
    return unschedulable({ rejections, absent, plugins: new Set([...plugins, ...(absent ? narrowing : [])]) });
  }
  const scores =
    feasible.length === 1 ? [{ node: feasible[0]!.name, total: 0, scores: {} }] : scoreNodes(pod, feasible, options);
  const { node } = pickHighest(scores, random);
  return { kind: "scheduled", node, scores, evaluated, feasible: feasible.length, states };
}
