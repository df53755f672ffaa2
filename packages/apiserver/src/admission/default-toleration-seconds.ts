// DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or unreachable, unless it says otherwise.

import { type Pod, pods, type Toleration } from "@picokube/api/core/v1";
import type { AdmissionPlugin } from "./admission.js";
import { concerns } from "./forbidden.js";

const TAINTS = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

function tolerates({ key, effect }: Toleration, taint: string): boolean {
  return (key === undefined || key === "" || key === taint) && (!effect || effect === "NoExecute");
}

export function defaultTolerationSeconds(
  seconds: { notReadySeconds: number; unreachableSeconds: number } = { notReadySeconds: 300, unreachableSeconds: 300 },
): AdmissionPlugin {
  const defaults = [seconds.notReadySeconds, seconds.unreachableSeconds];
  return {
    name: "DefaultTolerationSeconds",
    admit(attributes) {
      if (!concerns(attributes, pods)) return;
      if (attributes.operation !== "CREATE" && attributes.operation !== "UPDATE") return;
      const { spec } = attributes.object as Pod;
      if (!spec) return;
      for (const [index, key] of TAINTS.entries()) {
        if (spec.tolerations?.some((toleration) => tolerates(toleration, key))) continue;
        spec.tolerations = [
          ...(spec.tolerations ?? []),
          { key, operator: "Exists", effect: "NoExecute", tolerationSeconds: defaults[index] },
        ];
      }
    },
  };
}
