// What the workloads of apps share: a selector that fits its template (upstream: ValidatePodTemplateSpecForReplicaSet
// and its likes). Pure.

import type { PodTemplateSpec } from "@picokube/api/core/v1";
import type { LabelSelector } from "@picokube/api/meta/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { goLabelSelector, goStringMap } from "@picokube/api/validation/go-syntax";
import { validatePodTemplateSpec } from "../core/pod-spec-validation.js";
import { isEmptySelector, validateLabelSelector } from "../label-validation.js";

export const mismatch = "`selector` does not match template `labels`";

/** Whether the selector selects a pod of the template; an invalid one is reported elsewhere. */
export function selectsTemplate(selector: LabelSelector | undefined, template: PodTemplateSpec | undefined): boolean {
  try {
    return selectorFromLabelSelector(selector).matches(template?.metadata?.labels ?? {});
  } catch {
    return true;
  }
}

/** spec.selector: given, valid, not empty. kind as in "empty selector is invalid for deployment". */
export function validateSelector(selector: LabelSelector | undefined, kind: string): FieldError[] {
  if (!selector) return [required("spec.selector")];
  const faults = validateLabelSelector(selector, "spec.selector");
  if (isEmptySelector(selector)) {
    faults.push(invalidValue("spec.selector", goLabelSelector(selector), `empty selector is invalid for ${kind}`));
  }
  return faults;
}

/** spec.template: selected by the selector, valid, restarted always, without a deadline. kind as in "ReplicaSet". */
export function validateWorkloadTemplate(
  { selector, template }: { selector?: LabelSelector | undefined; template?: PodTemplateSpec | undefined },
  kind: string,
): FieldError[] {
  const path = "spec.template";
  const faults: FieldError[] = [];
  if (!isEmptySelector(selector) && !selectsTemplate(selector, template)) {
    faults.push(invalidValue(`${path}.metadata.labels`, goStringMap(template?.metadata?.labels), mismatch));
  }
  faults.push(...validatePodTemplateSpec(template, path));
  const restartPolicy = template?.spec?.restartPolicy;
  if (restartPolicy && restartPolicy !== "Always") {
    faults.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ["Always"]));
  }
  if (template?.spec?.activeDeadlineSeconds !== undefined) {
    const words = `activeDeadlineSeconds in ${kind} is not Supported`;
    faults.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, words));
  }
  return faults;
}
