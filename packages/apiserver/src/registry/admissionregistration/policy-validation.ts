// What valid ValidatingAdmissionPolicies and their bindings are, in upstream's words (upstream:
// ValidateValidatingAdmissionPolicy, ValidateValidatingAdmissionPolicyBinding). Pure; expressions are never compiled.

import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from "@picokube/api/admissionregistration/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "@picokube/api/validation/field-error";
import { isDNS1035Label, isDNS1123Subdomain, isPathSegmentName, isQualifiedName } from "@picokube/api/validation/names";
import { joined, objections, oneOf, oneOfIfSet } from "../check.js";
import { validateConditions } from "../condition-validation.js";
import { validateLabelSelector } from "../label-validation.js";
import { validateMatchConditions } from "./match-condition-validation.js";
import { failurePolicies, validateMatchResources } from "./rule-validation.js";

type PolicySpec = NonNullable<ValidatingAdmissionPolicy["spec"]>;
type BindingSpec = NonNullable<ValidatingAdmissionPolicyBinding["spec"]>;

const maxAuditAnnotations = 20;
const maxValueExpressionBytes = 5 * 1024;
const celReserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

function validateParamKind({ apiVersion = "", kind = "" }: NonNullable<PolicySpec["paramKind"]>, path: string) {
  const faults: FieldError[] = [];
  const at = `${path}.apiVersion`;
  const words = apiVersion.split("/");
  if (apiVersion === "") faults.push(required(at));
  else if (words.length > 2) {
    faults.push(invalidValue(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const [group, version] = words.length === 2 ? [words[0]!, words[1]!] : ["", apiVersion];
    if (group !== "") faults.push(...joined(at, group, isDNS1123Subdomain(group)));
    if (version === "") faults.push(invalidValue(at, apiVersion, "version must be specified"));
    else faults.push(...joined(at, version, isDNS1035Label(version)));
  }
  const labels = isDNS1035Label(kind.toLowerCase());
  if (kind === "") faults.push(required(`${path}.kind`));
  else if (labels.length > 0) {
    const why = `may have mixed case, but should otherwise match: ${labels.join(",")}`;
    faults.push(invalidValue(`${path}.kind`, kind, why));
  }
  return faults;
}

function validateVariables(variables: PolicySpec["variables"], path: string): FieldError[] {
  return (variables ?? []).flatMap(({ name = "", expression = "" }, index) => {
    const faults: FieldError[] = [];
    const at = `${path}[${index}]`;
    if (name.trim() === "") faults.push(required(`${at}.name`, "name is not specified"));
    else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || celReserved.has(name)) {
      faults.push(invalidValue(`${at}.name`, name, "name is not a valid CEL identifier"));
    }
    if (expression.trim() === "") faults.push(required(`${at}.expression`, "expression is not specified"));
    return faults;
  });
}

function validateValidations(validations: PolicySpec["validations"], path: string): FieldError[] {
  return (validations ?? []).flatMap(({ expression = "", messageExpression, message, reason }, index) => {
    const at = `${path}[${index}]`;
    const faults: FieldError[] = [];
    if (expression.trim() === "") faults.push(required(`${at}.expression`, "expression is not specified"));
    if (messageExpression && messageExpression.trim() === "") {
      faults.push(invalidValue(`${at}.messageExpression`, messageExpression, "must be non-empty if specified"));
    }
    if (message && message.trim() === "") {
      faults.push(invalidValue(`${at}.message`, message, "message must be non-empty if specified"));
    } else if (/[\n\r]/.test(message?.trim() ?? "")) {
      faults.push(invalidValue(`${at}.message`, message, "message must not contain line breaks"));
    }
    const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
    return [...faults, ...oneOfIfSet(`${at}.reason`, reason, reasons)];
  });
}

function validateAuditAnnotations(name: string, annotations: PolicySpec["auditAnnotations"], path: string) {
  const faults: FieldError[] = [];
  const keys = new Set<string>();
  if ((annotations ?? []).length > maxAuditAnnotations) {
    const words = `must not have more than ${maxAuditAnnotations} auditAnnotations`;
    faults.push(invalidValue(path, annotations, words));
  }
  for (const [index, { key = "", valueExpression = "" }] of (annotations ?? []).entries()) {
    const at = `${path}[${index}]`;
    if (name) faults.push(...objections(`${at}.key`, `${name}/${key}`, isQualifiedName(`${name}/${key}`)));
    else faults.push(invalidValue(`${at}.key`, key, "requires metadata.name be non-empty"));
    const bytes = Buffer.byteLength(valueExpression.trim());
    if (bytes === 0) faults.push(required(`${at}.valueExpression`, "valueExpression is not specified"));
    else if (bytes > maxValueExpressionBytes) {
      const words = `must not exceed ${maxValueExpressionBytes} bytes in length`;
      faults.push(required(`${at}.valueExpression`, words));
    }
    if (keys.has(key)) faults.push(duplicate(`${at}.key`, key));
    keys.add(key);
  }
  return faults;
}

function validatePolicy(
  { metadata, spec = {} }: ValidatingAdmissionPolicy,
  { matchConditions }: { matchConditions: boolean },
): FieldError[] {
  const faults = oneOf("spec.failurePolicy", spec.failurePolicy, failurePolicies);
  if (spec.paramKind) faults.push(...validateParamKind(spec.paramKind, "spec.paramKind"));
  const match = spec.matchConstraints;
  if (!match) faults.push(required("spec.matchConstraints"));
  else {
    faults.push(...validateMatchResources(match, "spec.matchConstraints"));
    if ((match.resourceRules ?? []).length === 0) faults.push(required("spec.matchConstraints.resourceRules"));
  }
  if (matchConditions) faults.push(...validateMatchConditions(spec.matchConditions, "spec.matchConditions"));
  faults.push(...validateVariables(spec.variables, "spec.variables"));
  if ((spec.validations ?? []).length === 0 && (spec.auditAnnotations ?? []).length === 0) {
    const words = "validations or auditAnnotations must contain at least one item";
    return [...faults, required("spec.validations", words), required("spec.auditAnnotations", words)];
  }
  return [
    ...faults,
    ...validateValidations(spec.validations, "spec.validations"),
    ...validateAuditAnnotations(metadata.name, spec.auditAnnotations, "spec.auditAnnotations"),
  ];
}

/** A policy as it is created. */
export function validateValidatingAdmissionPolicy(policy: ValidatingAdmissionPolicy): FieldError[] {
  return validatePolicy(policy, { matchConditions: true });
}

/** A change of a policy; match conditions that stay are not looked at again. */
export function validateValidatingAdmissionPolicyUpdate(
  policy: ValidatingAdmissionPolicy,
  old: ValidatingAdmissionPolicy,
): FieldError[] {
  const isSame =
    semanticDeepEqual(policy.spec?.paramKind, old.spec?.paramKind) &&
    semanticDeepEqual(policy.spec?.matchConditions, old.spec?.matchConditions);
  return validatePolicy(policy, { matchConditions: !isSame });
}

/** What a type checker wrote of a policy. */
export function validateValidatingAdmissionPolicyStatus({ status }: ValidatingAdmissionPolicy): FieldError[] {
  const warnings = status?.typeChecking?.expressionWarnings ?? [];
  const faults = warnings.flatMap(({ warning, fieldRef }, index) => {
    const at = `status.typeChecking.expressionWarnings[${index}]`;
    return [
      ...(warning ? [] : [required(`${at}.warning`)]),
      ...((fieldRef ?? "").trim() === "" ? [required(`${at}.fieldRef`)] : []),
    ];
  });
  return [...faults, ...validateConditions(status?.conditions, "status.conditions")];
}

function validateParamRef(reference: BindingSpec["paramRef"], path: string): FieldError[] {
  if (!reference) return [];
  const { name = "", selector, parameterNotFoundAction: action } = reference;
  const faults = name === "" ? [] : objections(`${path}.name`, name, isPathSegmentName(name));
  const exclusive = "name and selector are mutually exclusive";
  if (name !== "" && selector) faults.push(forbiddenField(`${path}.name`, exclusive));
  faults.push(...validateLabelSelector(selector, `${path}.selector`));
  if (name !== "" && selector) faults.push(forbiddenField(`${path}.selector`, exclusive));
  if (name === "" && !selector) faults.push(required(path, "one of name or selector must be specified"));
  return [...faults, ...oneOf(`${path}.parameterNotFoundAction`, action, ["Deny", "Allow"])];
}

function validateActions(actions: readonly string[], path: string): FieldError[] {
  const supported = ["Audit", "Deny", "Warn"];
  const seen = new Set<string>();
  const faults: FieldError[] = [];
  for (const [index, action] of actions.entries()) {
    if (!supported.includes(action)) faults.push(notSupported(`${path}[${index}]`, action, supported));
    if (seen.has(action)) faults.push(duplicate(`${path}[${index}]`, action));
    seen.add(action);
  }
  if (seen.has("Deny") && seen.has("Warn")) {
    const words =
      "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
    faults.push(invalidValue(path, actions, words));
  }
  if (seen.size === 0) faults.push(required(path, "at least one validation action is required"));
  return faults;
}

/** A binding as it is created and changed. */
export function validateValidatingAdmissionPolicyBinding({
  spec = {} as BindingSpec,
}: ValidatingAdmissionPolicyBinding): FieldError[] {
  const { policyName = "", paramRef, matchResources, validationActions = [] } = spec;
  return [
    ...(policyName === ""
      ? [required("spec.policyName")]
      : objections("spec.policyName", policyName, isDNS1123Subdomain(policyName))),
    ...validateParamRef(paramRef, "spec.paramRef"),
    ...validateMatchResources(matchResources, "spec.matchResources"),
    ...validateActions(validationActions, "spec.validationActions"),
  ];
}
