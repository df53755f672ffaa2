// What a valid HorizontalPodAutoscaler is, in upstream's words (upstream: ValidateHorizontalPodAutoscaler). Pure.

import type { HorizontalPodAutoscaler } from "@picokube/api/autoscaling/v2";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";
import { validateBehavior } from "./behavior-validation.js";
import { validateMetrics, validateObjectReference } from "./metric-validation.js";

/** An autoscaler in the shape of v2, as it is created and changed. */
export function validateHorizontalPodAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const faults: FieldError[] = [];
  const { minReplicas, maxReplicas = 0, scaleTargetRef } = spec ?? {};
  if (minReplicas !== undefined && minReplicas < 1) {
    faults.push(invalidValue("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  }
  if (maxReplicas < 1) faults.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than 0"));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    faults.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
  }
  return [
    ...faults,
    ...validateObjectReference(scaleTargetRef, "spec.scaleTargetRef"),
    ...validateMetrics(spec?.metrics, "spec.metrics"),
    ...validateBehavior(spec?.behavior, "spec.behavior"),
  ];
}

/** What is written to an autoscaler's status. */
export function validateHorizontalPodAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  return [
    ...nonnegative("status.currentReplicas", status?.currentReplicas),
    ...nonnegative("status.desiredReplicas", status?.desiredReplicas),
  ];
}
