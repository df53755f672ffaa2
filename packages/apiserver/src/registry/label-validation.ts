// Labels and label selectors inside specs, in upstream's words (apimachinery pkg/apis/meta/v1/validation). Pure.

import type { LabelSelector } from "@picokube/api/meta/v1";
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from "@picokube/api/validation/field-error";
import { isQualifiedName, isValidLabelValue } from "@picokube/api/validation/names";

const maxAnnotationsBytes = 256 * 1024;

/** Keys and values of a map of labels. */
export function validateLabels(labels: { readonly [key: string]: string } | undefined, path: string): FieldError[] {
  const faults: FieldError[] = [];
  for (const [key, value] of Object.entries(labels ?? {})) {
    for (const why of isQualifiedName(key ?? "")) faults.push(invalidValue(path, key, why));
    for (const why of isValidLabelValue(value)) faults.push(invalidValue(path, value, why));
  }
  return faults;
}

/** The keys of a map of annotations, and its size (upstream: ValidateAnnotations). */
export function validateAnnotations(
  annotations: { readonly [key: string]: string } | undefined,
  path: string,
): FieldError[] {
  const faults: FieldError[] = [];
  let sizeBytes = 0;
  for (const [key, value] of Object.entries(annotations ?? {})) {
    for (const why of isQualifiedName(key.toLowerCase())) faults.push(invalidValue(path, key, why));
    sizeBytes += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  return sizeBytes > maxAnnotationsBytes ? [...faults, tooLong(path, maxAnnotationsBytes)] : faults;
}

/** A LabelSelector (upstream: ValidateLabelSelector). */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!selector) return [];
  const faults = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}]`;
    const count = (values ?? []).length;
    if ((operator === "In" || operator === "NotIn") && count === 0) {
      faults.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if ((operator === "Exists" || operator === "DoesNotExist") && count > 0) {
      faults.push(forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else if (!["In", "NotIn", "Exists", "DoesNotExist"].includes(operator)) {
      faults.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
    }
    for (const why of isQualifiedName(key ?? "")) faults.push(invalidValue(`${at}.key`, key, why));
    for (const [valueIndex, value] of (values ?? []).entries()) {
      for (const why of isValidLabelValue(value)) faults.push(invalidValue(`${at}.values[${valueIndex}]`, value, why));
    }
  }
  return faults;
}

/** Whether a selector has no requirement at all. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  return (
    selector === undefined ||
    (Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0)
  );
}
