// What a valid ReplicaSet is, in upstream's words (upstream: ValidateReplicaSet). Pure.

import type { ReplicaSet, ReplicaSetSpec } from "@picokube/api/apps/v1";
import type { FieldError } from "@picokube/api/validation/field-error";
import { required } from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";
import { immutableSelector } from "../immutable.js";
import { validateSelector, validateWorkloadTemplate } from "./workload-validation.js";

/** A ReplicaSet as it is created. */
export function validateReplicaSet({ spec = {} as ReplicaSetSpec }: ReplicaSet): FieldError[] {
  return [
    ...nonnegative("spec.replicas", spec.replicas),
    ...nonnegative("spec.minReadySeconds", spec.minReadySeconds),
    ...validateSelector(spec.selector, "deployment"),
    ...(spec.template ? validateWorkloadTemplate(spec, "ReplicaSet") : [required("spec.template")]),
  ];
}

/** A change of a ReplicaSet: its selector stays. */
export function validateReplicaSetUpdate(replicaSet: ReplicaSet, old: ReplicaSet): FieldError[] {
  return [
    ...validateReplicaSet(replicaSet),
    ...immutableSelector("spec.selector", replicaSet.spec?.selector, old.spec?.selector),
  ];
}
