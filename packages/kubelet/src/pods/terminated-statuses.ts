// What the containers' states become when their pod has ended: whatever nobody can tell any more counts as a failure, so
// that no pod is called successful by mistake. Mirrors upstream's status manager TerminatePod. Pure.

import type { ContainerState, ContainerStatus, Pod } from "@picokube/api/core/v1";
import { isSidecar } from "@picokube/api/pod";

/** A container that is not where it should be: what upstream shows in place of its end. */
export function lostState(message: string): ContainerState {
  return { terminated: { exitCode: 137, reason: "ContainerStatusUnknown", message } };
}

const lostAtEnd = lostState("The container could not be located when the pod was terminated");

const ended = (status: ContainerStatus): ContainerStatus =>
  status.state?.terminated ? status : { ...status, state: lostAtEnd, ready: false, started: false };

/** Whether regular containers were ever meant to run; if not, their waiting says nothing of the pod's end. */
function hasInitialized(pod: Pod, { initStatuses, statuses }: Statuses): boolean {
  const inits = pod.spec?.initContainers ?? [];
  if (inits.length === 0) return true;
  if (statuses.some(({ state, lastState }) => lastState?.terminated || !state?.waiting)) return true;
  const last = initStatuses.at(-1);
  if (isSidecar(inits.at(-1)!)) return last?.state?.running !== undefined && last.started === true;
  return [last?.lastState, last?.state].some((state) => state?.terminated?.exitCode === 0);
}

interface Statuses {
  readonly initStatuses: readonly ContainerStatus[];
  readonly statuses: readonly ContainerStatus[];
}

/** The statuses of a pod of which nothing runs, nor will again. Init containers behind the last that was started stay as
 * they are. */
export function terminatedStatuses(
  pod: Pod,
  found: Statuses,
): { initStatuses: ContainerStatus[]; statuses: ContainerStatus[] } {
  const { initStatuses, statuses } = found;
  const lastStarted = initStatuses.findLastIndex(({ state, lastState }) => !state?.waiting || lastState?.terminated);
  return {
    initStatuses: initStatuses.map((status, index) => (index <= Math.max(0, lastStarted) ? ended(status) : status)),
    statuses: hasInitialized(pod, found) ? statuses.map(ended) : [...statuses],
  };
}
