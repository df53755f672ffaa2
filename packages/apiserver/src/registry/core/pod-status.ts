// What kubectl's READY, STATUS and RESTARTS say of a pod (upstream: printPod). Pure.

import type { ContainerStatus, Pod } from "@picokube/api/core/v1";
import { timestampSince } from "../columns.js";

/** The cells of a pod that its container statuses decide. */
export interface PodSummary {
  readonly ready: string;
  readonly reason: string;
  readonly restarts: string;
}

interface Restarts {
  count: number;
  /** RFC 3339; "" when nothing has ended yet. */
  last: string;
}

function addRestarts(restarts: Restarts, status: ContainerStatus): void {
  restarts.count += status.restartCount ?? 0;
  const finishedAt = status.lastState?.terminated?.finishedAt;
  if (finishedAt && (restarts.last === "" || Date.parse(finishedAt) > Date.parse(restarts.last))) {
    restarts.last = finishedAt;
  }
}

function isConditionTrue(pod: Pod, type: string): boolean {
  return (pod.status?.conditions ?? []).some((condition) => condition.type === type && condition.status === "True");
}

function endedReason({ reason, signal, exitCode }: { reason?: string; signal?: number; exitCode: number }): string {
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

/** Counts and words for one pod, as of now in milliseconds since the epoch. */
export function summarizePod(pod: Pod, now: number): PodSummary {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === "Always").map((c) => c.name),
  );
  const total = (pod.spec?.containers ?? []).length + sidecars.size;
  const status = pod.status;
  let ready = 0;
  let reason: string = status?.reason || status?.phase || "";
  if ((status?.conditions ?? []).some((c) => c.type === "PodScheduled" && c.reason === "SchedulingGated")) {
    reason = "SchedulingGated";
  }

  let restarts: Restarts = { count: 0, last: "" };
  const sidecarRestarts: Restarts = { count: 0, last: "" };
  let initializing = false;
  for (const [index, container] of (status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name);
    addRestarts(restarts, container);
    if (isSidecar) addRestarts(sidecarRestarts, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated && terminated.exitCode === 0) continue;
    if (isSidecar && container.started) {
      if (container.ready) ready++;
      continue;
    }
    if (terminated) reason = `Init:${endedReason(terminated)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    else reason = `Init:${index}/${(pod.spec?.initContainers ?? []).length}`;
    initializing = true;
    break;
  }

  if (!initializing || isConditionTrue(pod, "Initialized")) {
    restarts = sidecarRestarts;
    let hasRunning = false;
    for (const container of [...(status?.containerStatuses ?? [])].reverse()) {
      addRestarts(restarts, container);
      const { waiting, terminated, running } = container.state ?? {};
      if (waiting?.reason) reason = waiting.reason;
      else if (terminated) reason = endedReason(terminated);
      else if (container.ready && running) {
        hasRunning = true;
        ready++;
      }
    }
    if (reason === "Completed" && hasRunning) reason = isConditionTrue(pod, "Ready") ? "Running" : "NotReady";
  }

  if (pod.metadata.deletionTimestamp) {
    if (status?.reason === "NodeLost") reason = "Unknown";
    else if (status?.phase !== "Succeeded" && status?.phase !== "Failed") reason = "Terminating";
  }
  const ago = restarts.count > 0 && restarts.last !== "" ? ` (${timestampSince(restarts.last, now)} ago)` : "";
  return { ready: `${ready}/${total}`, reason, restarts: `${restarts.count}${ago}` };
}
