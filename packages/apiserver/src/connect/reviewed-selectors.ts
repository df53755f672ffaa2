// The selectors of a SubjectAccessReview: checked, and as the requirements that authorizers see (upstream:
// validation.validateFieldSelectorAttributes and util.ResourceAttributesFrom). Judges nothing.

import type { ResourceAttributes } from "@picokube/api/authorization/v1";
import type { FieldRequirement } from "@picokube/api/selectors/fields";
import type { Operator, Requirement } from "@picokube/api/selectors/labels";
import { validateRequirement } from "@picokube/api/selectors/requirement";
import { type FieldError, forbiddenField, invalidValue, required } from "@picokube/api/validation/field-error";
import { type Selectors, selectorsOf } from "../authz/request-attributes.js";

type Attributes = Pick<ResourceAttributes, "fieldSelector" | "labelSelector">;
type SelectorAttributes = NonNullable<Attributes["fieldSelector"] | Attributes["labelSelector"]>;

const OPERATORS: { readonly [name: string]: Operator } = {
  In: "in",
  NotIn: "notin",
  Exists: "exists",
  DoesNotExist: "!",
};

/** What is wrong with the selectors. Operators of a newer client are none of it: they only narrow. */
export function selectorFaults(attributes: Attributes | undefined, path: string): FieldError[] {
  return (["fieldSelector", "labelSelector"] as const).flatMap((name) => {
    const selector = attributes?.[name];
    return selector ? faultsOf(selector, `${path}.${name}`) : [];
  });
}

function faultsOf({ rawSelector = "", requirements = [] }: SelectorAttributes, path: string): FieldError[] {
  const faults: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) {
    const why = "may not specified at the same time as requirements";
    faults.push(invalidValue(`${path}.rawSelector`, rawSelector, why));
  }
  if (rawSelector === "" && requirements.length === 0) {
    const why = `when ${path} is specified, requirements or rawSelector is required`;
    faults.push(required(`${path}.requirements`, why));
  }
  for (const [index, { key, operator, values = [] }] of requirements.entries()) {
    const at = `${path}.requirements[${index}]`;
    if (!key) faults.push(required(`${at}.key`, "must be specified"));
    if ((operator === "In" || operator === "NotIn") && values.length === 0) {
      faults.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
      faults.push(forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  }
  return faults;
}

/** The selectors as requirements. What no authorizer knows is left out: without it a selector is wider, never narrower. */
export function reviewedSelectors({ fieldSelector, labelSelector }: Attributes): Selectors {
  const parsed = selectorsOf({
    fieldSelector: fieldSelector?.rawSelector ?? "",
    labelSelector: labelSelector?.rawSelector ?? "",
  });
  const fields = (fieldSelector?.requirements ?? []).flatMap(({ key, operator, values = [] }): FieldRequirement[] => {
    const [value] = values;
    // A field has one value: upstream cannot say "one of several" either.
    if (values.length !== 1 || value === undefined) return [];
    if (operator === "In") return [{ field: key, operator: "=", value }];
    return operator === "NotIn" ? [{ field: key, operator: "!=", value }] : [];
  });
  const labels = (labelSelector?.requirements ?? []).flatMap(({ key, operator, values = [] }): Requirement[] => {
    const requirement = { key, operator: OPERATORS[operator] ?? (operator as Operator), values };
    return validateRequirement(requirement).length > 0 ? [] : [requirement];
  });
  return {
    ...parsed,
    ...(fields.length > 0 ? { fieldSelector: fields } : {}),
    ...(labels.length > 0 ? { labelSelector: labels } : {}),
  };
}
