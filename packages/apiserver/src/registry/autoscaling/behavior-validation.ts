// How fast a HorizontalPodAutoscaler scales, in upstream's words (upstream: validateScalingRules). Pure.

import type { HorizontalPodAutoscaler } from "@picokube/api/autoscaling/v2";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { oneOfIfSet } from "../check.js";
import { nonnegativeQuantity } from "../core/resource-validation.js";

type Behavior = NonNullable<HorizontalPodAutoscaler["spec"]>["behavior"];
type Rules = NonNullable<NonNullable<Behavior>["scaleUp"]>;
type Policy = NonNullable<Rules["policies"]>[number];

const maxStabilizationWindowSeconds = 3600;
const maxPeriodSeconds = 1800;
const policyTypes = ["Percent", "Pods"];

function validatePolicy({ type, value = 0, periodSeconds = 0 }: Policy, path: string): FieldError[] {
  const faults = policyTypes.includes(type) ? [] : [notSupported(`${path}.type`, type ?? "", policyTypes)];
  if (value <= 0) faults.push(invalidValue(`${path}.value`, value, "must be greater than zero"));
  const at = `${path}.periodSeconds`;
  if (periodSeconds <= 0) faults.push(invalidValue(at, periodSeconds, "must be greater than zero"));
  if (periodSeconds > maxPeriodSeconds) {
    faults.push(invalidValue(at, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`));
  }
  return faults;
}

function validateRules(rules: Rules | undefined, path: string): FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: window, selectPolicy, policies } = rules;
  const { tolerance } = rules as { tolerance?: string };
  const faults: FieldError[] = [];
  const at = `${path}.stabilizationWindowSeconds`;
  if (window !== undefined && window < 0) {
    faults.push(invalidValue(at, window, "must be greater than or equal to zero"));
  }
  if (window !== undefined && window > maxStabilizationWindowSeconds) {
    faults.push(invalidValue(at, window, `must be less than or equal to ${maxStabilizationWindowSeconds}`));
  }
  faults.push(...oneOfIfSet(`${path}.selectPolicy`, selectPolicy, ["Disabled", "Max", "Min"]));
  if ((policies ?? []).length === 0) faults.push(required(`${path}.policies`, "must specify at least one Policy"));
  for (const [index, policy] of (policies ?? []).entries()) {
    faults.push(...validatePolicy(policy, `${path}.policies[${index}]`));
  }
  if (tolerance !== undefined) faults.push(...nonnegativeQuantity(`${path}.tolerance`, tolerance));
  return faults;
}

/** The rules of both directions. */
export function validateBehavior(behavior: Behavior, path: string): FieldError[] {
  return [
    ...validateRules(behavior?.scaleUp, `${path}.scaleUp`),
    ...validateRules(behavior?.scaleDown, `${path}.scaleDown`),
  ];
}
