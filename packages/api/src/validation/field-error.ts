// The vocabulary of validation: faults of fields in upstream's words (apimachinery pkg/util/validation/field).

import type { FieldError } from "../errors.js";
import { GoValue, goStrings, quoted } from "./go-syntax.js";

export type { FieldError };

/** A value as upstream prints it inside a message (upstream: field.Error.ErrorBody). */
function shown(value: unknown): string {
  if (value === undefined || value === null) return '"null"';
  if (value instanceof GoValue) return value.text;
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return String(value);
  if (!Array.isArray(value)) return JSON.stringify(value);
  if (value.every((item) => typeof item === "string")) return goStrings(value).text;
  return value.every((item) => typeof item === "number") ? `[]int32{${value.join(", ")}}` : JSON.stringify(value);
}

export function required(field: string, why = ""): FieldError {
  return { reason: "FieldValueRequired", field, message: why ? `Required value: ${why}` : "Required value" };
}

export function invalidValue(field: string, value: unknown, why: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${shown(value)}: ${why}` };
}

/** An invalid value that is not shown (upstream: field.OmitValueType). */
export function invalidOmitted(field: string, why: string): FieldError {
  return { reason: "FieldValueInvalid", field, message: `Invalid value: ${why}` };
}

/** The supported values stand in the order given: upstream sorts where it holds a set, and only there. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.length > 0 ? `: supported values: ${supported.map(quoted).join(", ")}` : "";
  return { reason: "FieldValueNotSupported", field, message: `Unsupported value: ${shown(value)}${list}` };
}

export function duplicate(field: string, value: unknown): FieldError {
  return { reason: "FieldValueDuplicate", field, message: `Duplicate value: ${shown(value)}` };
}

export function forbiddenField(field: string, why: string): FieldError {
  return { reason: "FieldValueForbidden", field, message: `Forbidden: ${why}` };
}

export function notFoundValue(field: string, value: unknown): FieldError {
  return { reason: "FieldValueNotFound", field, message: `Not found: ${shown(value)}` };
}

export function tooLong(field: string, maxLength: number): FieldError {
  return { reason: "FieldValueTooLong", field, message: `Too long: may not be more than ${maxLength} bytes` };
}

export function tooMany(field: string, actual: number, max: number): FieldError {
  return { reason: "FieldValueTooMany", field, message: `Too many: ${actual}: must have at most ${max} items` };
}

export function typeInvalid(field: string, value: unknown, why: string): FieldError {
  return { reason: "FieldValueTypeInvalid", field, message: `Invalid value: ${shown(value)}: ${why}` };
}
