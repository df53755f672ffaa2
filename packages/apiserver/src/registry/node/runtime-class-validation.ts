// What a valid RuntimeClass is, in upstream's words (upstream: ValidateRuntimeClass). Pure.

import type { RuntimeClass } from "@picokube/api/node/v1";
import { duplicate, type FieldError } from "@picokube/api/validation/field-error";
import { isDNS1123Label } from "@picokube/api/validation/names";
import { objections } from "../check.js";
import { validateResourceRequirements } from "../core/resource-validation.js";
import { validateTolerations } from "../core/scheduling-validation.js";
import { immutable } from "../immutable.js";
import { validateLabels } from "../label-validation.js";

function validateScheduling(scheduling: RuntimeClass["scheduling"]): FieldError[] {
  const tolerations = scheduling?.tolerations ?? [];
  const seen = new Set<string>();
  const faults = [
    ...validateLabels(scheduling?.nodeSelector, "scheduling.nodeSelector"),
    // Upstream names the field twice.
    ...validateTolerations(tolerations, "scheduling.tolerations.tolerations"),
  ];
  for (const [index, toleration] of tolerations.entries()) {
    const { key, operator, value, effect } = toleration;
    const identity = JSON.stringify([key, operator, value, effect]);
    if (seen.has(identity)) faults.push(duplicate(`scheduling.tolerations[${index}]`, toleration));
    seen.add(identity);
  }
  return faults;
}

/** A RuntimeClass as it is created. */
export function validateRuntimeClass({ handler = "", overhead, scheduling }: RuntimeClass): FieldError[] {
  return [
    ...objections("handler", handler, isDNS1123Label(handler)),
    ...validateResourceRequirements(overhead?.podFixed ? { limits: overhead.podFixed } : undefined, "overhead"),
    ...validateScheduling(scheduling),
  ];
}

/** A change of a RuntimeClass: only its handler is looked at, and must stay. */
export function validateRuntimeClassUpdate({ handler }: RuntimeClass, old: RuntimeClass): FieldError[] {
  return immutable("handler", handler, old.handler);
}
