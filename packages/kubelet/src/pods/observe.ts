// Asks the runtime what there is of a pod. Changes nothing but the memory of what was last seen.

import type { ContainerStatus, Sandbox } from "../cri/runtime.js";
import type { PodState } from "../parts.js";
import { networkOwner, type PodContext } from "./pod-context.js";

type Observing = Pick<PodContext, "runtime" | "network" | "settings" | "states">;

const newestSandbox = (a: Sandbox, b: Sandbox) => b.attempt - a.attempt || b.createdAt - a.createdAt;
const newestContainer = (a: ContainerStatus, b: ContainerStatus) => b.createdAt - a.createdAt || b.attempt - a.attempt;

/** A PodState of these sandboxes and containers. */
export function podState(
  podUid: string,
  found: { sandboxes: readonly Sandbox[]; containers: readonly ContainerStatus[]; hostNetwork: boolean },
  { network, settings }: Pick<Observing, "network" | "settings">,
): PodState {
  const sandboxes = [...found.sandboxes].sort(newestSandbox);
  const [newest] = sandboxes;
  const address = newest?.ready && !found.hostNetwork ? network.addressOf(networkOwner(newest)) : undefined;
  const hostIps = newest?.ready && found.hostNetwork ? settings.nodeIps : [];
  return {
    podUid,
    sandboxes,
    containers: [...found.containers].sort(newestContainer),
    podIps: address === undefined ? hostIps : [address],
  };
}

/** Looks now, and remembers it. */
export async function observe(
  context: Observing,
  { podUid, hostNetwork }: { podUid: string; hostNetwork: boolean },
): Promise<PodState> {
  const [sandboxes, containers] = await Promise.all([
    context.runtime.listSandboxes({ podUid }),
    context.runtime.listContainers({ podUid }),
  ]);
  const state = podState(podUid, { sandboxes, containers, hostNetwork }, context);
  context.states.set(podUid, state);
  return state;
}
