// What a pod holds of the node beside its containers, given back in two steps: when it has ended, and when the API has
// forgotten it. Ends nothing.

import { removePodCgroup } from "../cgroups/pod-cgroup.js";
import type { PodState } from "../parts.js";
import { stopSandboxes } from "./kill-container.js";
import type { PodContext } from "./pod-context.js";

/** Of a pod that has ended: sandboxes and addresses, volumes, cgroup, back-off. */
export async function releasePod(context: PodContext, state: PodState): Promise<void> {
  const { volumes, cgroups, backoff } = context;
  await stopSandboxes(context, state);
  await volumes.release(state.podUid);
  if (cgroups) removePodCgroup(state.podUid, cgroups);
  backoff.forget(state.podUid);
}

/** Of a pod that the API has forgotten: logs, files, and all that was remembered of it. */
export async function forgetPod(context: PodContext, podUid: string): Promise<void> {
  const { logs, files, statuses, states, allocations, cgroups } = context;
  // What a container had not left yet when it ended.
  if (cgroups) removePodCgroup(podUid, cgroups);
  await logs.remove(podUid);
  files.remove(podUid);
  statuses.forget(podUid);
  states.delete(podUid);
  allocations.remove(podUid);
}
