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

type Statuses = ReadonlyMap<string, ContainerStatus>;

function countInit(pod: Pod, statuses: Statuses, counts: Counts): void {
  for (const container of pod.spec?.initContainers ?? []) {
    if (isSidecar(container)) continue;
    const { state, lastState } = statuses.get(container.name) ?? {};
    const ended = state?.terminated ?? (state?.waiting && lastState?.terminated);
    if (!ended) counts.pendingInit++;
    else if (ended.exitCode !== 0) counts.failedInit++;
  }
}

/** A sidecar that runs keeps its pod Running; how one ended says nothing of the pod. */
function countSidecars(pod: Pod, statuses: Statuses, counts: Counts): void {
  for (const { name } of (pod.spec?.initContainers ?? []).filter(isSidecar)) {
    const { state, lastState, started } = statuses.get(name) ?? {};
    if (state?.running) {
      counts.running++;
      if (started !== true) counts.pendingInit++;
    } else if (state?.waiting && !lastState?.terminated) {
      counts.waiting++;
      counts.pendingInit++;
    } else if (!state?.waiting && !state?.terminated) {
      counts.unknown++;
      counts.pendingInit++;
    }
  }
}

function countRegular(pod: Pod, statuses: Statuses, counts: Counts): void {
  for (const { name } of pod.spec?.containers ?? []) {
    const { state, lastState } = statuses.get(name) ?? {};
    if (state?.running) counts.running++;
    else if (state?.terminated) {
      counts.stopped++;
      if (state.terminated.exitCode === 0) counts.succeeded++;
    } else if (!state?.waiting) counts.unknown++;
    else if (lastState?.terminated) counts.stopped++;
    else counts.waiting++;
  }
}

/** Whether any regular container runs or has ever run: upstream's HasAnyRegularContainerStarted. */
export function anyRegularStarted(statuses: readonly ContainerStatus[]): boolean {
  return statuses.some(({ state, lastState }) => state?.running || state?.terminated || lastState?.terminated);
}

export interface PhaseInputs {
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
  /** Nothing of the pod runs, nor will it again. */
  readonly terminal: boolean;
}

/** The phase that the containers' states come to. */
export function podPhase(pod: Pod, { initStatuses, statuses, terminal }: PhaseInputs): Phase {
  const byName = new Map([...initStatuses, ...statuses].map((status) => [status.name, status]));
  const counts = { pendingInit: 0, failedInit: 0, unknown: 0, running: 0, waiting: 0, stopped: 0, succeeded: 0 };
  countInit(pod, byName, counts);
  countSidecars(pod, byName, counts);
  countRegular(pod, byName, counts);
  const policy = pod.spec?.restartPolicy ?? "Always";
  if (counts.failedInit > 0 && policy === "Never") return "Failed";
  if (counts.pendingInit > 0 && !anyRegularStarted(statuses)) return "Pending";
  if (counts.waiting > 0) return "Pending";
  if (counts.running > 0 && counts.unknown === 0) return "Running";
  if (counts.running === 0 && counts.stopped > 0 && counts.unknown === 0) {
    const verdict = counts.stopped === counts.succeeded ? "Succeeded" : "Failed";
    if (terminal) return verdict;
    if (policy === "Always") return "Running";
    return verdict === "Failed" && policy === "OnFailure" ? "Running" : verdict;
  }
  return "Pending";
}
