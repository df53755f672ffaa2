// One requirement of a label selector and what makes it sound (upstream: labels.NewRequirement). Neither parses nor
// matches.

import type { FieldError } from "../errors.js";
import { invalidValue, notSupported } from "../validation/field-error.js";
import { isQualifiedName, isValidLabelValue } from "../validation/names.js";

/** "in" is also the In of objects; "gt" and "lt" only node selectors and texts have. */
export type Operator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

const INTEGER = /^[+-]?\d+$/;
const OPERATORS = ["in", "notin", "=", "==", "!=", "gt", "lt", "exists", "!"];

/** Upstream's NewRequirement: the faults of a requirement, empty when it is sound. */
export function validateRequirement({ key, operator, values }: Requirement, path = ""): FieldError[] {
  const at = (child: string): string => (path === "" ? child : `${path}.${child}`);
  const faults: FieldError[] = [];
  const keyObjections = isQualifiedName(key);
  if (keyObjections.length > 0) faults.push(invalidValue(at("key"), key, keyObjections.join("; ")));
  const invalidValues = (why: string): void => {
    faults.push(invalidValue(at("values"), values, why));
  };
  switch (operator) {
    case "in":
    case "notin":
      if (values.length === 0) invalidValues("for 'in', 'notin' operators, values set can't be empty");
      break;
    case "=":
    case "==":
    case "!=":
      if (values.length !== 1) invalidValues("exact-match compatibility requires one single value");
      break;
    case "exists":
    case "!":
      if (values.length !== 0) invalidValues("values set must be empty for exists and does not exist");
      break;
    case "gt":
    case "lt":
      if (values.length !== 1) invalidValues("for 'Gt', 'Lt' operators, exactly one value is required");
      values.forEach((value, index) => {
        if (!INTEGER.test(value)) {
          const why = "for 'Gt', 'Lt' operators, the value must be an integer";
          faults.push(invalidValue(`${at("values")}[${index}]`, value, why));
        }
      });
      break;
    default:
      faults.push(notSupported(at("operator"), operator, OPERATORS));
  }
  values.forEach((value, index) => {
    const objections = isValidLabelValue(value);
    if (objections.length > 0) {
      faults.push(invalidValue(`${at("values")}[${index}][${key}]`, value, objections.join("; ")));
    }
  });
  return faults;
}

/** Faults as upstream's aggregate prints them. */
export function faultsText(faults: readonly FieldError[]): string {
  const texts = faults.map(({ field, message }) => `${field}: ${message}`);
  return texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
}
