// The conditions of FlowSchemas and PriorityLevelConfigurations, in upstream's words (upstream:
// ValidateFlowSchemaStatus). Pure.

import { duplicate, type FieldError, required } from "@picokube/api/validation/field-error";

/** Each condition has a type, and each type occurs once. */
export function validateStatusConditions(conditions: readonly { readonly type?: string }[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return (conditions ?? []).flatMap(({ type = "" }, index) => {
    const at = `status.conditions[${index}].type`;
    const faults = seen.has(type) ? [duplicate(at, type)] : [];
    seen.add(type);
    return type === "" ? [...faults, required(at, "must not be empty")] : faults;
  });
}
