// One look at a pod for its worker: what the runtime has of it, the last words of what has ended, its logs' files. Decides
// nothing.

import type { Pod } from "@picokube/api/core/v1";
import type { PodState } from "../parts.js";
import { restartCountOf } from "./container-spec.js";
import { observe } from "./observe.js";
import type { PodContext } from "./pod-context.js";
import type { TerminationMessages } from "./termination-messages.js";

/** Looks now; messages and logs know afterwards what there is. A look that began before the node's network was up knows no
 *  addresses: where the network has come up meanwhile it is taken again, or a kubelet that starts anew would take its pods for
 *  ones that lost their network, and kill them. */
export async function observePod(
  context: Pick<PodContext, "runtime" | "network" | "settings" | "states" | "logs">,
  pod: Pod,
  messages: TerminationMessages,
): Promise<PodState> {
  const { uid } = pod.metadata;
  const isUp = () => context.network.problems().length === 0;
  const wasUp = isUp();
  const state = await observe(context, { podUid: uid, hostNetwork: pod.spec?.hostNetwork === true });
  await messages.read(state);
  context.logs.observe(
    uid,
    state.containers.map((container) => ({ ...container, restartCount: restartCountOf(container) })),
  );
  return wasUp || !isUp() ? state : observePod(context, pod, messages);
}
