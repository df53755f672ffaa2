// What a valid PriorityClass is, in upstream's words (upstream: ValidatePriorityClass). Pure.

import type { PriorityClass } from "@picokube/api/scheduling/v1";
import { type FieldError, forbiddenField } from "@picokube/api/validation/field-error";
import { oneOfIfSet } from "../check.js";
import { immutable } from "../immutable.js";

const highestUserDefinable = 1_000_000_000;
const systemClasses: { readonly [name: string]: number } = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

/** A PriorityClass as it is created. */
export function validatePriorityClass({ metadata, value = 0, preemptionPolicy }: PriorityClass): FieldError[] {
  const faults: FieldError[] = [];
  const { name = "" } = metadata;
  if (name.startsWith("system-")) {
    if (systemClasses[name] !== value) {
      const words = "priority class names with 'system-' prefix are reserved for system use only. error: ";
      const why = `${name} is not a known system priority class`;
      faults.push(forbiddenField("metadata.name", words + why));
    }
  } else if (value > highestUserDefinable) {
    const words = `maximum allowed value of a user defined priority is ${highestUserDefinable}`;
    faults.push(forbiddenField("value", words));
  }
  return [...faults, ...oneOfIfSet("preemptionPolicy", preemptionPolicy, ["PreemptLowerPriority", "Never"])];
}

/** A change of a PriorityClass: its value stays. */
export function validatePriorityClassUpdate(priorityClass: PriorityClass, old: PriorityClass): FieldError[] {
  const faults = priorityClass.value === old.value ? [] : [forbiddenField("value", "may not be changed in an update.")];
  return [...faults, ...immutable("preemptionPolicy", priorityClass.preemptionPolicy, old.preemptionPolicy)];
}
