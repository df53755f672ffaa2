// What a valid ReplicationController is, in upstream's words (upstream: ValidateReplicationController). Pure.

import type { ReplicationController } from "@picokube/api/core/v1";
import { type FieldError, required } from "@picokube/api/validation/field-error";
import { validateWorkloadTemplate } from "../apps/workload-validation.js";
import { nonnegative } from "../check.js";

/** A ReplicationController as it is created and changed. */
export function validateReplicationController({ spec = {} }: ReplicationController): FieldError[] {
  const selector = spec.selector ?? {};
  return [
    ...nonnegative("spec.minReadySeconds", spec.minReadySeconds),
    ...(Object.keys(selector).length === 0 ? [required("spec.selector")] : []),
    ...nonnegative("spec.replicas", spec.replicas),
    ...(spec.template
      ? validateWorkloadTemplate(
          { selector: { matchLabels: selector }, template: spec.template },
          "ReplicationController",
        )
      : [required("spec.template")]),
  ];
}
