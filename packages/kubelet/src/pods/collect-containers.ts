// Removes what has ended from the runtime: old attempts while the pod lives, all of it once the pod is gone.

import type { Runtime } from "../cri/runtime.js";
import type { PodState } from "../parts.js";

/** Removes all but the last dead attempt of each container, which `kubectl logs --previous` shows, and replaced sandboxes. */
export async function removeDeadContainers(runtime: Runtime, state: PodState): Promise<void> {
  const seen = new Set<string>();
  const remembered = new Set<string>();
  for (const { id, name, state: is } of state.containers) {
    const isCurrent = !seen.has(name);
    seen.add(name);
    if (is === "running" || is === "unknown") continue;
    // A container that was never started has nothing to remember, unless it is about to be.
    if (is === "created" ? isCurrent : !remembered.has(name)) {
      if (is !== "created") remembered.add(name);
      continue;
    }
    await runtime.removeContainer(id);
  }
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
