// Whether the node can grant a pod the resources it now wishes: at once, later, or never. Mirrors upstream's
// canResizePod and its words. Pure.

import type { Node, Pod, PodCondition } from "@picokube/api/core/v1";
import { podRequests } from "@picokube/api/pod";
import { parseQuantity } from "@picokube/api/quantity";
import { type Admission, refusalOf } from "../pods/admission.js";

/** Reason and message of the condition PodResizePending. */
export interface PendingResize {
  readonly reason: "Deferred" | "Infeasible";
  readonly message: string;
}

function infeasible(pod: Pod, node: Node | undefined): string | undefined {
  const allocatable = node?.status?.allocatable ?? {};
  const requests = podRequests(pod);
  for (const resource of ["memory", "cpu"]) {
    const [wanted, text] = [requests.get(resource), allocatable[resource]];
    if (!wanted || text === undefined) continue;
    const capacity = parseQuantity(text);
    if (wanted.compare(capacity) <= 0) continue;
    const [asked, has] =
      resource === "cpu" ? [wanted.milliValue(), capacity.milliValue()] : [wanted.value(), capacity.value()];
    return `Node didn't have enough capacity: ${resource}, requested: ${asked}, capacity: ${has}`;
  }
  return undefined;
}

/** Why the wish must wait or cannot be granted; undefined when it can. others are the node's other pods, as granted. */
export function pendingResize(pod: Pod, admission: Admission): PendingResize | undefined {
  const never = infeasible(pod, admission.node);
  if (never !== undefined) return { reason: "Infeasible", message: never };
  const refusal = refusalOf(pod, admission);
  return refusal && { reason: "Deferred", message: refusal.message };
}

/** The conditions that tell of a resize: waiting for room, under way, or failed. */
export function resizeConditions({
  pending,
  inProgress,
  error,
}: {
  pending: PendingResize | undefined;
  inProgress: boolean;
  error: string | undefined;
}): PodCondition[] {
  return [
    ...(pending ? [{ type: "PodResizePending", status: "True" as const, ...pending }] : []),
    ...(inProgress
      ? [
          {
            type: "PodResizeInProgress",
            status: "True" as const,
            ...(error === undefined ? {} : { reason: "Error", message: error }),
          },
        ]
      : []),
  ];
}
