// The check that a field did not change (upstream: ValidateImmutableField). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, invalidValue } from "@picokube/api/validation/field-error";

/** One fault when the values differ. */
export function immutable(field: string, value: unknown, old: unknown): FieldError[] {
  return semanticDeepEqual(value, old) ? [] : [invalidValue(field, value, "field is immutable")];
}
