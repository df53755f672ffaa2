// What a valid PodDisruptionBudget is, in upstream's words (upstream: ValidatePodDisruptionBudgetSpec). Pure.

import type { PodDisruptionBudget } from "@picokube/api/policy/v1";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import { nonnegative, notMoreThan100Percent, oneOfIfSet, positiveIntOrPercent } from "../check.js";
import { validateConditions } from "../condition-validation.js";
import { validateLabelSelector } from "../label-validation.js";

/** A PodDisruptionBudget as it is created and changed. */
export function validatePodDisruptionBudget({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable } = spec;
  const faults: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined) {
    faults.push(invalidValue("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const field of ["minAvailable", "maxUnavailable"] as const) {
    const path = `spec.${field}`;
    faults.push(...positiveIntOrPercent(path, spec[field]), ...notMoreThan100Percent(path, spec[field]));
  }
  faults.push(...validateLabelSelector(spec.selector, "spec.selector"));
  return [
    ...faults,
    ...oneOfIfSet("spec.unhealthyPodEvictionPolicy", spec.unhealthyPodEvictionPolicy, [
      "AlwaysAllow",
      "IfHealthyBudget",
    ]),
  ];
}

/** What is written to a budget's status. */
export function validatePodDisruptionBudgetStatus({ status }: PodDisruptionBudget): FieldError[] {
  const counts = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;
  return [
    ...validateConditions(status?.conditions, "status.conditions"),
    ...counts.flatMap((field) => nonnegative(`status.${field}`, status?.[field])),
  ];
}
