// In which order a pod's containers end: sidecars after the containers that they serve, the last first. Mirrors upstream's
// newTerminationOrdering. Pure.

import type { Pod } from "@picokube/api/core/v1";
import { isSidecar } from "@picokube/api/pod";

/** For each running sidecar the running containers whose end it waits for; all others wait for none. */
export function terminationOrder(pod: Pod, running: readonly string[]): Map<string, string[]> {
  const isRunning = ({ name }: { name: string }) => running.includes(name);
  const earlier = (pod.spec?.containers ?? []).filter(isRunning).map(({ name }) => name);
  const order = new Map<string, string[]>();
  for (const { name } of (pod.spec?.initContainers ?? []).filter(isSidecar).filter(isRunning).reverse()) {
    order.set(name, [...earlier]);
    earlier.push(name);
  }
  return order;
}
