// One look at a pod for its worker: what the runtime has of it, the last words of what has ended, its logs' files. Decides
// nothing.

import type { Pod } from "@picokube/api/core/v1";
import type { PodState } from "../parts.js";
import { restartCountOf } from "./container-spec.js";
import { observe } from "./observe.js";
import type { PodContext } from "./pod-context.js";
import type { TerminationMessages } from "./termination-messages.js";

/** Looks now; messages and logs know afterwards what there is. */
export async function observePod(
  context: PodContext,
  { metadata: { uid }, spec }: Pod,
  messages: TerminationMessages,
): Promise<PodState> {
  const state = await observe(context, { podUid: uid, hostNetwork: spec?.hostNetwork === true });
  await messages.read(state);
  context.logs.observe(
    uid,
    state.containers.map((container) => ({ ...container, restartCount: restartCountOf(container) })),
  );
  return state;
}
