// The extension points of the scheduling framework (upstream: pkg/scheduler/framework). Plugins are pure: they read the
// pod and the snapshot, and answer; what they work out before the nodes are looked at is their own state.

import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "@picokube/api/core/v1";
import type { Labels, Selector } from "@picokube/api/selectors/labels";
import type { StorageClass } from "@picokube/api/storage/v1";
import type { NodeInfo } from "./node-info.js";
import type { PodInfo } from "./pod-info.js";
import type { Reservation } from "./reservation.js";
import type { VolumeLookups } from "./volume-lookups.js";

/** The best score of a node; the worst is 0. */
export const MAX_NODE_SCORE = 100;

/** Why not. unresolvable: taking pods away from the node would not help. */
export interface Rejection {
  readonly reasons: readonly string[];
  readonly unresolvable?: boolean;
}

/** The cluster at the moment of the cycle. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  get(name: string): NodeInfo | undefined;
  /** Nodes with a pod that has any affinity or anti-affinity. */
  readonly nodesWithAffinity: readonly NodeInfo[];
}

/** What plugins may look up beside nodes and pods. */
export interface Lookups {
  namespaceLabels(namespace: string): Labels;
  /** The selector of the pod's siblings, by Services and the controller that owns it; undefined when there are none. */
  siblingSelector(pod: Pod): Selector | undefined;
  readonly volumes: VolumeLookups;
}

interface Changed<Resource extends string, T> {
  readonly resource: Resource;
  /** Undefined: it is new. */
  readonly previous: T | undefined;
  /** Undefined: it is gone. */
  readonly current: T | undefined;
}

/** Something happened that may let waiting pods be scheduled. */
export type ClusterEvent =
  | { readonly resource: "node"; readonly previous: Node | undefined; readonly current: Node }
  | { readonly resource: "nodeGone"; readonly previous: Node }
  | Changed<"assignedPod", Pod>
  | Changed<"claim", PersistentVolumeClaim>
  | Changed<"volume", PersistentVolume>
  | Changed<"storageClass", StorageClass>
  | { readonly resource: "other"; readonly name: string };

/** What preFilter found: nothing to do for this pod, a rejection for all nodes, or its state for filter. */
export type PreFilterResult<State> =
  | "skip"
  | { readonly reject: Rejection }
  | {
      readonly state: State;
      /** Only these nodes can do. */
      readonly nodeNames?: ReadonlySet<string> | undefined;
    };

// biome-ignore lint/suspicious/noExplicitAny: plugins with different states stand in one array
export interface Plugin<FilterState = any, ScoreState = any> {
  readonly name: string;
  preFilter?(pod: PodInfo, snapshot: Snapshot): PreFilterResult<FilterState>;
  /** Undefined: the node will do. */
  filter?(pod: PodInfo, node: NodeInfo, state: FilterState): Rejection | undefined;
  /** Gets the nodes that passed all filters. */
  preScore?(pod: PodInfo, nodes: readonly NodeInfo[], snapshot: Snapshot): "skip" | { readonly state: ScoreState };
  /** Higher is better; any range when normalize is there, else 0 to 100. */
  score?(pod: PodInfo, node: NodeInfo, state: ScoreState): number;
  /** Brings the scores of all nodes into 0 to 100. */
  normalize?(scores: readonly number[], state: ScoreState, nodes: readonly NodeInfo[]): number[];
  /** The node is chosen. Undefined: there is nothing to keep. A plugin that was skipped is not asked. */
  reserve?(pod: PodInfo, node: NodeInfo, state: FilterState): Reservation | undefined;
  /** Queueing hint: whether the event may undo this plugin's rejection of the pod. Left out: every event may. */
  mayHelp?(pod: PodInfo, event: ClusterEvent): boolean;
}

/** A plugin and how much its score counts. */
export interface WeightedPlugin {
  readonly plugin: Plugin;
  readonly weight: number;
}

/** Upstream's DefaultNormalizeScore. */
export function normalizeByMaximum(scores: readonly number[], { reverse = false } = {}): number[] {
  const maximum = Math.max(0, ...scores);
  if (maximum === 0) return scores.map(() => (reverse ? MAX_NODE_SCORE : 0));
  return scores.map((score) => {
    const scaled = Math.trunc((MAX_NODE_SCORE * score) / maximum);
    return reverse ? MAX_NODE_SCORE - scaled : scaled;
  });
}

const byResource = {
  node: "Node",
  nodeGone: "Node",
  assignedPod: "AssignedPod",
  claim: "PersistentVolumeClaim",
  volume: "PersistentVolume",
  storageClass: "StorageClass",
} as const;

/** What metrics call an event (upstream: ClusterEvent.Label). */
export function eventLabel(event: ClusterEvent): string {
  if (event.resource === "other") return event.name;
  const present = event.resource === "nodeGone" ? undefined : event.current;
  const action = present === undefined ? "Delete" : event.previous === undefined ? "Add" : "Update";
  return byResource[event.resource] + action;
}

/** A node came or changed: the event that most plugins wait for. */
export function isNodeEvent(event: ClusterEvent): event is Extract<ClusterEvent, { resource: "node" }> {
  return event.resource === "node";
}
