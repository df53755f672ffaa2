// Removes what has ended from the runtime: old attempts while the pod lives, all of it once the pod is gone.

import type { Runtime } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { type Collection, excessContainers } from "./dead-containers.js";

/** What the engine could not remove, as when it has lost sight of a mount. */
export interface Unremoved {
  readonly id: string;
  readonly error: unknown;
}

/** Removes the dead attempts that the policy does not keep for `kubectl logs --previous`, and replaced sandboxes. */
export async function removeDeadContainers(
  runtime: Runtime,
  state: PodState,
  collection: Collection,
): Promise<Unremoved[]> {
  // How many there are over all pods no single pod can tell.
  const ofPod = { ...collection, policy: { ...collection.policy, max: -1 } };
  const excess = excessContainers(state.containers, ofPod);
  const inUse = new Set(state.containers.map(({ sandboxId }) => sandboxId));
  const replaced = state.sandboxes.slice(1).filter(({ id, ready }) => !ready && !inUse.has(id));
  return [
    ...(await removeEach(excess, (id) => runtime.removeContainer(id))),
    ...(await removeEach(idsOf(replaced), (id) => runtime.removeSandbox(id))),
  ];
}

/** Removes all of the pod's containers, then its sandboxes. */
export async function removePodFromRuntime(runtime: Runtime, state: PodState): Promise<Unremoved[]> {
  return [
    ...(await removeEach(idsOf(state.containers), (id) => runtime.removeContainer(id))),
    ...(await removeEach(idsOf(state.sandboxes), (id) => runtime.removeSandbox(id))),
  ];
}

const idsOf = (those: readonly { id: string }[]) => those.map(({ id }) => id);

/** One that cannot go holds up no other. */
async function removeEach(ids: readonly string[], remove: (id: string) => Promise<void>): Promise<Unremoved[]> {
  const failures = await Promise.all(
    ids.map((id) =>
      remove(id).then(
        () => undefined,
        (error: unknown) => ({ id, error }),
      ),
    ),
  );
  return failures.filter((failure) => failure !== undefined);
}
