// Defaults of PriorityClasses (upstream: pkg/apis/scheduling/v1/defaults.go). Pure, in place, idempotent.

import type { PriorityClass } from "./v1.js";

export function setPriorityClassDefaults(priorityClass: PriorityClass): void {
  priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
}
