// ValidatingAdmissionPolicies and their bindings: the kinds' declarations.

import {
  setValidatingAdmissionPolicyBindingDefaults,
  setValidatingAdmissionPolicyDefaults,
} from "@picokube/api/admissionregistration/defaults";
import {
  type ValidatingAdmissionPolicy,
  type ValidatingAdmissionPolicyBinding,
  validatingadmissionpolicies,
  validatingadmissionpolicybindings,
} from "@picokube/api/admissionregistration/v1";
import type { LabelSelector } from "@picokube/api/meta/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import {
  validateValidatingAdmissionPolicy,
  validateValidatingAdmissionPolicyBinding,
  validateValidatingAdmissionPolicyStatus,
  validateValidatingAdmissionPolicyUpdate,
} from "./policy-validation.js";

/** The definition of validatingadmissionpolicies. */
export const validatingAdmissionPolicyDefinition = define<ValidatingAdmissionPolicy>({
  resource: validatingadmissionpolicies,
  storagePrefix: "validatingadmissionpolicies",
  applyDefaults: setValidatingAdmissionPolicyDefaults,
  hasStatus: true,
  validate: validateValidatingAdmissionPolicy,
  validateUpdate: validateValidatingAdmissionPolicyUpdate,
  validateStatusUpdate: validateValidatingAdmissionPolicyStatus,
  hasGeneration: true,
  columns: [
    nameColumn,
    column("Validations", ({ spec }) => (spec?.validations ?? []).length, {
      type: "integer",
      description: "Validations indicates the number of validation rules defined in this configuration",
    }),
    column(
      "ParamKind",
      ({ spec }) => (spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : "<unset>"),
      { description: "ParamKind specifies the kind of resources used to parameterize this policy" },
    ),
    ageColumn,
  ],
});

/** `*` stands for a namespace that is not given, although the parameter may have none (upstream: printValidatingAdmissionPolicyBinding). */
function paramRef({ spec }: ValidatingAdmissionPolicyBinding): string {
  const { name, namespace, selector } = spec?.paramRef ?? {};
  if (name) return `${namespace || "*"}/${name}`;
  return selector ? goString(selector) : "<unset>";
}

/** As Go prints a *metav1.LabelSelector. */
function goString({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1));
  const shownLabels = labels.map(([key, value]) => `${key}: ${value},`).join("");
  const shownExpressions = matchExpressions
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
    )
    .join("");
  const expressions = `[]LabelSelectorRequirement{${shownExpressions}}`;
  return `&LabelSelector{MatchLabels:map[string]string{${shownLabels}},MatchExpressions:${expressions},}`;
}

/** The definition of validatingadmissionpolicybindings. */
export const validatingAdmissionPolicyBindingDefinition = define<ValidatingAdmissionPolicyBinding>({
  resource: validatingadmissionpolicybindings,
  storagePrefix: "validatingadmissionpolicybindings",
  applyDefaults: setValidatingAdmissionPolicyBindingDefaults,
  hasStatus: false,
  validate: validateValidatingAdmissionPolicyBinding,
  validateUpdate: validateValidatingAdmissionPolicyBinding,
  hasGeneration: true,
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? "", {
      description: "PolicyName indicates the policy definition which the policy binding binded to",
    }),
    column("ParamRef", paramRef, {
      description: "ParamRef indicates the param resource which sets the configration param",
    }),
    ageColumn,
  ],
});
