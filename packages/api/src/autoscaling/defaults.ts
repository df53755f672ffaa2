// Defaults of HorizontalPodAutoscalers (upstream: pkg/apis/autoscaling/v1 and v2/defaults.go). Pure, in place.

import type { HorizontalPodAutoscaler as V1 } from "./v1.js";
import type { HorizontalPodAutoscaler as V2 } from "./v2.js";

export function setHorizontalPodAutoscalerV1Defaults(autoscaler: V1): void {
  autoscaler.spec ??= {} as NonNullable<V1["spec"]>;
  autoscaler.spec.minReplicas ??= 1;
}

/** minReplicas, the CPU metric at 80 percent when none is named, and the policies of a behavior that is given. */
export function setHorizontalPodAutoscalerV2Defaults(autoscaler: V2): void {
  autoscaler.spec ??= {} as NonNullable<V2["spec"]>;
  const { spec } = autoscaler;
  spec.minReplicas ??= 1;
  if ((spec.metrics ?? []).length === 0) {
    const target = { type: "Utilization", averageUtilization: 80 };
    spec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (!spec.behavior) return;
  const { scaleUp, scaleDown } = spec.behavior;
  spec.behavior.scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: "Max",
    policies: [
      { type: "Pods", value: 4, periodSeconds: 15 },
      { type: "Percent", value: 100, periodSeconds: 15 },
    ],
    ...scaleUp,
  };
  spec.behavior.scaleDown = {
    selectPolicy: "Max",
    policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
    ...scaleDown,
  };
}
