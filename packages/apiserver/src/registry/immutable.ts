// The check that a field did not change (upstream: ValidateImmutableField). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { LabelSelector } from "@picokube/api/meta/v1";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";
import { goLabelSelector } from "@picokube/api/validation/go-syntax";

/** One fault when the values differ. */
export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return semanticDeepEqual(value, old) ? [] : [invalidValue(field, value, "field is immutable")];
}

/** The same for a label selector, which is shown as Go prints it. */
export function immutableSelector(
  field: string,
  selector: LabelSelector | undefined,
  old: LabelSelector | undefined,
): FieldError[] {
  if (semanticDeepEqual(selector, old)) return [];
  return [invalidValue(field, goLabelSelector(selector), "field is immutable")];
}
