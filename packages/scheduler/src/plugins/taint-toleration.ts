// TaintToleration: keeps pods off nodes whose NoSchedule and NoExecute taints they do not bear; prefers nodes without
// PreferNoSchedule taints.

import { tolerates } from "@picokube/api/core/tolerations";
import type { Node, Pod, Taint } from "@picokube/api/core/v1";
import { isNodeEvent, normalizeByMaximum, type Plugin } from "../framework/plugin.js";

function untolerated(pod: Pod, node: Node): Taint | undefined {
  return node.spec?.taints?.find(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerates(pod.spec?.tolerations, taint),
  );
}

export const taintToleration: Plugin = {
  name: "TaintToleration",
  filter({ pod }, { node }) {
    const taint = untolerated(pod, node);
    if (!taint) return undefined;
    const reason = `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
    return { reasons: [reason], unresolvable: true };
  },
  score({ pod }, { node }) {
    const tolerations = pod.spec?.tolerations?.filter(({ effect }) => !effect || effect === "PreferNoSchedule");
    const soft = node.spec?.taints?.filter(({ effect }) => effect === "PreferNoSchedule") ?? [];
    return soft.filter((taint) => !tolerates(tolerations, taint)).length;
  },
  normalize: (scores) => normalizeByMaximum(scores, { reverse: true }),
  mayHelp: ({ pod }, event) => isNodeEvent(event) && untolerated(pod, event.current) === undefined,
};
