// A status's metav1.Conditions, in upstream's words (apimachinery pkg/apis/meta/v1/validation: ValidateConditions). Pure.

import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "@picokube/api/validation/field-error";
import { isQualifiedName, regexError } from "@picokube/api/validation/names";
import { objections } from "./check.js";

interface Condition {
  readonly type?: string;
  readonly status?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

const reasonFormat = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonWords =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
const maxReasonBytes = 1024;
const maxMessageBytes = 32 * 1024;

function validateReason(reason: string, path: string): FieldError[] {
  if (reason === "") return [required(path, "must be set")];
  const faults: FieldError[] = [];
  if (!reasonPattern.test(reason)) {
    const examples = ["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"];
    faults.push(invalidValue(path, reason, regexError(reasonWords, reasonFormat, examples)));
  }
  if (Buffer.byteLength(reason) > maxReasonBytes) faults.push(tooLong(path, maxReasonBytes));
  return faults;
}

/** Each type once, each condition complete. */
export function validateConditions(conditions: readonly Condition[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap((condition, index) => {
    const { type = "", status = "", observedGeneration = 0, lastTransitionTime, reason = "", message = "" } = condition;
    const at = `${path}[${index}]`;
    const statuses = ["False", "True", "Unknown"];
    const faults: FieldError[] = seen.has(type) ? [duplicate(`${at}.type`, type)] : [];
    seen.add(type);
    faults.push(...objections(`${at}.type`, type, isQualifiedName(type)));
    if (!statuses.includes(status)) faults.push(notSupported(`${at}.status`, status, statuses));
    if (observedGeneration < 0) {
      faults.push(
        invalidValue(`${at}.observedGeneration`, observedGeneration, "must be greater than or equal to zero"),
      );
    }
    if (!lastTransitionTime) faults.push(required(`${at}.lastTransitionTime`, "must be set"));
    faults.push(...validateReason(reason, `${at}.reason`));
    if (Buffer.byteLength(message) > maxMessageBytes) faults.push(tooLong(`${at}.message`, maxMessageBytes));
    return faults;
  });
}
