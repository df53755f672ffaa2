// What a Node's signs of life mean: since when it is silent, and the conditions of one that was silent for too long.
// Pure: upstream's tryUpdateNodeHealth.

import type { Lease } from "@picokube/api/coordination/v1";
import type { Node, NodeCondition } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { findCondition } from "../conditions.js";

/** The signs of life seen last, and when they were seen by the controller's own clock: those of Nodes may be wrong. */
export interface NodeHealth {
  readonly heartbeat: string | undefined;
  readonly renewTime: string | undefined;
  readonly seenMs: number;
  /** When the controller looked last. */
  readonly checkedMs: number;
}

const reportedConditions = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;
const neverUpdated = "NodeStatusNeverUpdated";

/** The health after one more look. A look that comes after more than maxPauseMs counts as a sign: it was we who slept. */
export function observeHealth({
  previous,
  node,
  lease,
  nowMs,
  maxPauseMs,
}: {
  previous: NodeHealth | undefined;
  node: Node;
  lease: Lease | undefined;
  nowMs: number;
  maxPauseMs: number;
}): NodeHealth {
  const ready = findCondition(node.status?.conditions, "Ready");
  const heartbeat = ready?.reason === neverUpdated ? undefined : (ready?.lastHeartbeatTime ?? undefined);
  const renewTime = lease?.spec?.renewTime ?? undefined;
  const next = { heartbeat, renewTime: later(previous?.renewTime, renewTime), checkedMs: nowMs };
  if (!previous) {
    const createdMs = Date.parse(node.metadata.creationTimestamp) || nowMs;
    return { ...next, seenMs: hasReported(node) ? nowMs : createdMs };
  }
  const sign = heartbeat !== previous.heartbeat || next.renewTime !== previous.renewTime;
  const asleep = nowMs - previous.checkedMs > maxPauseMs;
  return { ...next, seenMs: sign || asleep ? nowMs : previous.seenMs };
}

/** Whether a kubelet ever posted this Node's status. */
export function hasReported(node: Node): boolean {
  const ready = findCondition(node.status?.conditions, "Ready");
  return ready !== undefined && ready.reason !== neverUpdated;
}

/** The conditions to change on a Node that has been silent for too long. */
export function unknownConditions(node: Node, nowMs: number): NodeCondition[] {
  const lastTransitionTime = formatTime(nowMs);
  return reportedConditions.flatMap((type) => {
    const current = findCondition(node.status?.conditions, type);
    if (current?.status === "Unknown") return [];
    if (current)
      return {
        ...current,
        status: "Unknown" as const,
        reason: "NodeStatusUnknown",
        message: "Kubelet stopped posting node status.",
        lastTransitionTime,
      };
    return {
      type,
      status: "Unknown" as const,
      reason: neverUpdated,
      message: "Kubelet never posted node status.",
      lastHeartbeatTime: node.metadata.creationTimestamp,
      lastTransitionTime,
    };
  });
}

function later(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return b ?? a;
  return Date.parse(b) > Date.parse(a) ? b : a;
}
