// NodeUnschedulable: keeps pods off cordoned nodes, unless they tolerate the taint of that.

import { tolerates } from "@picokube/api/core/tolerations";
import type { Plugin } from "../framework/plugin.js";
import { isNodeEvent } from "../framework/plugin.js";

const REASON = "node(s) were unschedulable";
const TAINT = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;

export const nodeUnschedulable: Plugin = {
  name: "NodeUnschedulable",
  filter({ pod }, { node }) {
    if (!node.spec?.unschedulable || tolerates(pod.spec?.tolerations, TAINT)) return undefined;
    return { reasons: [REASON], unresolvable: true };
  },
  mayHelp: (_, event) => isNodeEvent(event) && !event.current.spec?.unschedulable,
};
