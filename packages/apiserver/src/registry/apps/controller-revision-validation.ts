// What a valid ControllerRevision is, in upstream's words (upstream: ValidateControllerRevisionCreate). Pure.

import type { ControllerRevision } from "@picokube/api/apps/v1";
import { type FieldError, required } from "@picokube/api/validation/field-error";
import { nonnegative } from "../check.js";
import { immutable } from "../immutable.js";

/** A ControllerRevision as it is created: it holds an object. */
export function validateControllerRevision({ revision, data }: ControllerRevision): FieldError[] {
  const faults = nonnegative("revision", revision);
  if (data === undefined || data === null) return [...faults, required("data", "data is mandatory")];
  const isObject = typeof data === "object" && !Array.isArray(data);
  return isObject ? faults : [...faults, required("data", "data must be a valid JSON object")];
}

/** A change of a ControllerRevision: only its number. */
export function validateControllerRevisionUpdate(next: ControllerRevision, old: ControllerRevision): FieldError[] {
  return [...nonnegative("revision", next.revision), ...immutable("data", next.data, old.data)];
}
