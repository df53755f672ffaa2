// Removes what has ended from the runtime: old attempts while the pod lives, all of it once the pod is gone.

import type { Runtime } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { type Collection, excessContainers } from "./dead-containers.js";

/** Removes the dead attempts that the policy does not keep for `kubectl logs --previous`, and replaced sandboxes. */
export async function removeDeadContainers(runtime: Runtime, state: PodState, collection: Collection): Promise<void> {
  // How many there are over all pods no single pod can tell.
  const ofPod = { ...collection, policy: { ...collection.policy, max: -1 } };
  const excess = excessContainers(state.containers, ofPod);
  for (const id of excess) await runtime.removeContainer(id);
  const inUse = new Set(state.containers.map(({ sandboxId }) => sandboxId));
  for (const { id, ready } of state.sandboxes.slice(1)) {
    if (!ready && !inUse.has(id)) await runtime.removeSandbox(id);
  }
}

/** Removes all of the pod's containers, then its sandboxes. */
export async function removePodFromRuntime(runtime: Runtime, state: PodState): Promise<void> {
  await Promise.all(state.containers.map(({ id }) => runtime.removeContainer(id)));
  await Promise.all(state.sandboxes.map(({ id }) => runtime.removeSandbox(id)));
}
