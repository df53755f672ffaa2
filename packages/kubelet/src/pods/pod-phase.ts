// A pod's phase out of its container statuses. Mirrors upstream's kubelet getPhase. Pure.

import type { ContainerStatus, Pod } from "@picokube/api/core/v1";
import { isSidecar } from "@picokube/api/pod";

export type Phase = "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";

interface Counts {
  pendingInit: number;
  failedInit: number;
  unknown: number;
  running: number;
  waiting: number;
  stopped: number;
  succeeded: number;
}

function countInit(pod: Pod, statuses: ReadonlyMap<string, ContainerStatus>, counts: Counts): void {
  for (const container of pod.spec?.initContainers ?? []) {
    const state = statuses.get(container.name)?.state;
    const last = statuses.get(container.name)?.lastState;
    if (isSidecar(container)) {
      const started = statuses.get(container.name)?.started === true;
      if (!started && !state?.terminated) counts.pendingInit++;
      continue;
    }
    if (state?.terminated) {
      if (state.terminated.exitCode !== 0) counts.failedInit++;
    } else if (state?.waiting && last?.terminated && last.terminated.exitCode !== 0) counts.failedInit++;
    else counts.pendingInit++;
  }
}

function countRegular(pod: Pod, statuses: ReadonlyMap<string, ContainerStatus>, counts: Counts): void {
  for (const { name } of pod.spec?.containers ?? []) {
    const status = statuses.get(name);
    if (!status?.state) counts.unknown++;
    else if (status.state.running) counts.running++;
    else if (status.state.terminated) {
      counts.stopped++;
      if (status.state.terminated.exitCode === 0) counts.succeeded++;
    } else if (status.state.waiting) {
      if (status.lastState?.terminated) counts.stopped++;
      else counts.waiting++;
    } else counts.unknown++;
  }
}

/** terminal: nothing of the pod runs, nor will it again. */
export function podPhase(pod: Pod, statuses: readonly ContainerStatus[], { terminal }: { terminal: boolean }): Phase {
  const byName = new Map(statuses.map((status) => [status.name, status]));
  const counts: Counts = {
    pendingInit: 0,
    failedInit: 0,
    unknown: 0,
    running: 0,
    waiting: 0,
    stopped: 0,
    succeeded: 0,
  };
  countInit(pod, byName, counts);
  countRegular(pod, byName, counts);
  const policy = pod.spec?.restartPolicy ?? "Always";
  if (counts.failedInit > 0 && policy === "Never") return "Failed";
  const anyRegularRan = counts.running + counts.stopped > 0;
  if (counts.pendingInit > 0 && !anyRegularRan) return "Pending";
  if (counts.failedInit > 0 && !anyRegularRan) return terminal ? "Failed" : "Pending";
  if (counts.waiting > 0) return "Pending";
  if (counts.running > 0 && counts.unknown === 0) return "Running";
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    if (terminal) return counts.stopped === counts.succeeded ? "Succeeded" : "Failed";
    if (policy === "Always") return "Running";
    if (counts.stopped === counts.succeeded) return "Succeeded";
    return policy === "Never" ? "Failed" : "Running";
  }
  return "Pending";
}
