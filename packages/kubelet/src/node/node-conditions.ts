// The four conditions of a Node in upstream's words, with the times carried over. Pure.

import type { NodeCondition } from "@picokube/api/core/v1";

export interface NodeSigns {
  readonly memoryPressure: boolean;
  readonly diskPressure: boolean;
  readonly pidPressure: boolean;
  /** Why the node is not ready; empty when it is. */
  readonly problems: readonly string[];
}

/** upstream's utilerrors.Aggregate: one error bare, several in brackets. */
export function aggregate(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
}

type Words = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

function pressure(type: string, under: boolean, bad: [string, string], good: [string, string]): Words {
  const [reason, message] = under ? bad : good;
  return { type, status: under ? "True" : "False", reason, message };
}

function words({ memoryPressure, diskPressure, pidPressure, problems }: NodeSigns): Words[] {
  return [
    pressure(
      "MemoryPressure",
      memoryPressure,
      ["KubeletHasInsufficientMemory", "kubelet has insufficient memory available"],
      ["KubeletHasSufficientMemory", "kubelet has sufficient memory available"],
    ),
    pressure(
      "DiskPressure",
      diskPressure,
      ["KubeletHasDiskPressure", "kubelet has disk pressure"],
      ["KubeletHasNoDiskPressure", "kubelet has no disk pressure"],
    ),
    pressure(
      "PIDPressure",
      pidPressure,
      ["KubeletHasInsufficientPID", "kubelet has insufficient PID available"],
      ["KubeletHasSufficientPID", "kubelet has sufficient PID available"],
    ),
    problems.length === 0
      ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
      : { type: "Ready", status: "False", reason: "KubeletNotReady", message: aggregate(problems) },
  ];
}

/** The conditions as of now; a transition time changes only with the status. */
export function nodeConditions(before: readonly NodeCondition[], signs: NodeSigns, now: string): NodeCondition[] {
  return words(signs).map((condition) => {
    const old = before.find(({ type }) => type === condition.type);
    const same = old !== undefined && old.status === condition.status;
    return { ...condition, lastHeartbeatTime: now, lastTransitionTime: (same && old.lastTransitionTime) || now };
  });
}

/** The event that a changed condition makes: upstream's recordNodeStatusEvent. */
export function conditionEventReason({ type, status }: Pick<NodeCondition, "type" | "status">): string {
  if (type === "Ready") return status === "True" ? "NodeReady" : "NodeNotReady";
  if (type === "MemoryPressure") return status === "True" ? "NodeHasInsufficientMemory" : "NodeHasSufficientMemory";
  if (type === "DiskPressure") return status === "True" ? "NodeHasDiskPressure" : "NodeHasNoDiskPressure";
  return status === "True" ? "NodeHasInsufficientPID" : "NodeHasSufficientPID";
}
