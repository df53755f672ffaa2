// NodePorts: two pods cannot hold one host port of a node.

import { isNodeEvent, type Plugin } from "../framework/plugin.js";
import { type HostPort, podInfoOf } from "../framework/pod-info.js";

const REASON = "node(s) didn't have free ports for the requested pod ports";
const ANY = "0.0.0.0";

/** Both cannot be held at once: the wildcard address meets every other. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === ANY || b.ip === ANY);
}

export const nodePorts: Plugin<undefined> = {
  name: "NodePorts",
  preFilter: ({ hostPorts }) => (hostPorts.length === 0 ? "skip" : { state: undefined }),
  filter({ hostPorts }, { pods }) {
    for (const other of pods.values()) {
      if (other.hostPorts.some((used) => hostPorts.some((wanted) => portsConflict(used, wanted)))) {
        return { reasons: [REASON] };
      }
    }
    return undefined;
  },
  mayHelp({ hostPorts }, event) {
    if (isNodeEvent(event)) return event.previous === undefined;
    if (event.resource !== "assignedPod" || !event.previous || event.current) return false;
    const freed = podInfoOf(event.previous).hostPorts;
    return freed.some((port) => hostPorts.some((wanted) => portsConflict(port, wanted)));
  },
};
