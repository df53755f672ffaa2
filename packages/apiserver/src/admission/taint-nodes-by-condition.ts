// TaintNodesByCondition: a new node takes no pods until it is known to be ready.

import { type Node, nodes } from "@picokube/api/core/v1";
import type { AdmissionPlugin } from "./admission.js";
import { concerns } from "./forbidden.js";

const NOT_READY = "node.kubernetes.io/not-ready";

export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: "TaintNodesByCondition",
    admit(attributes) {
      if (attributes.operation !== "CREATE" || !concerns(attributes, nodes)) return;
      const node = attributes.object as Node;
      const taints = node.spec?.taints ?? [];
      if (taints.some(({ key, effect }) => key === NOT_READY && effect === "NoSchedule")) return;
      node.spec = { ...node.spec, taints: [...taints, { key: NOT_READY, effect: "NoSchedule" }] };
    },
  };
}
