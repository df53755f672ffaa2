// The taints that a Node's conditions call for. Pure: upstream's doNoScheduleTaintingPass and processTaintBaseEviction.

import type { Node, Taint } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { findCondition } from "../conditions.js";

/** "allow": pods may be evicted now; "hold": not yet; "forbid": nobody is evicted, and taints that would are taken off. */
export type Eviction = "allow" | "hold" | "forbid";

const notReady = "node.kubernetes.io/not-ready";
const unreachable = "node.kubernetes.io/unreachable";
const unschedulable = "node.kubernetes.io/unschedulable";

const conditionTaints: readonly { type: string; key: string }[] = [
  { type: "MemoryPressure", key: "node.kubernetes.io/memory-pressure" },
  { type: "DiskPressure", key: "node.kubernetes.io/disk-pressure" },
  { type: "PIDPressure", key: "node.kubernetes.io/pid-pressure" },
  { type: "NetworkUnavailable", key: "node.kubernetes.io/network-unavailable" },
];

/** The whole list as it should be; undefined when it is so already. */
export function desiredTaints(
  node: Node,
  { eviction, nowMs }: { eviction: Eviction; nowMs: number },
): Taint[] | undefined {
  const current = node.spec?.taints ?? [];
  const ready = readyStatus(node);
  const wanted = [...noSchedule(node)];
  const evicting = evictionKey(node);
  if (evicting && eviction !== "forbid" && (eviction === "allow" || isEvicting(node)))
    wanted.push({ key: evicting, effect: "NoExecute" });
  const is = (taint: Taint, other: Taint) => taint.key === other.key && taint.effect === other.effect;
  const kept = current.filter((taint) => !isOurs(taint, ready) || wanted.some((each) => is(taint, each)));
  const missing = wanted.filter((each) => !current.some((taint) => is(taint, each)));
  if (kept.length === current.length && missing.length === 0) return undefined;
  return [...kept, ...missing.map((each) => ({ ...each, timeAdded: formatTime(nowMs) }))];
}

/** Whether the Node should evict pods and does not yet: the step that is rate-limited. */
export function needsEviction(node: Node): boolean {
  return evictionKey(node) !== undefined && !isEvicting(node);
}

function isEvicting({ spec }: Node): boolean {
  return (spec?.taints ?? []).some(
    ({ key, effect }) => effect === "NoExecute" && (key === notReady || key === unreachable),
  );
}

function evictionKey(node: Node): string | undefined {
  const ready = readyStatus(node);
  return ready === "False" ? notReady : ready === "Unknown" ? unreachable : undefined;
}

function noSchedule(node: Node): Taint[] {
  const keys = conditionTaints
    .filter(({ type }) => findCondition(node.status?.conditions, type)?.status === "True")
    .map(({ key }) => key);
  const readiness = evictionKey(node);
  if (readiness) keys.unshift(readiness);
  if (node.spec?.unschedulable) keys.push(unschedulable);
  return keys.map((key) => ({ key, effect: "NoSchedule" as const }));
}

// A Node that has not yet said how it fares keeps the taint that it was admitted with.
function isOurs({ key, effect }: Taint, ready: string | undefined): boolean {
  const readiness = key === notReady || key === unreachable;
  if (readiness) return ready !== undefined && (effect === "NoExecute" || effect === "NoSchedule");
  return effect === "NoSchedule" && (key === unschedulable || conditionTaints.some((each) => each.key === key));
}

function readyStatus(node: Node): string | undefined {
  return findCondition(node.status?.conditions, "Ready")?.status;
}
