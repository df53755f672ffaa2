// NodeName: a pod that names a node goes to no other.

import type { Plugin } from "../framework/plugin.js";
import { isNodeEvent } from "../framework/plugin.js";

const REASON = "node(s) didn't match the requested node name";

export const nodeName: Plugin = {
  name: "NodeName",
  filter({ pod }, { name }) {
    const wanted = pod.spec?.nodeName;
    return wanted && wanted !== name ? { reasons: [REASON], unresolvable: true } : undefined;
  },
  mayHelp: (_, event) => isNodeEvent(event) && event.previous === undefined,
};
