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
    column("Validations", ({ spec }) => (spec?.validations ?? []).length, { type: "integer" }),
    column("ParamKind", ({ spec }) =>
      spec?.paramKind ? `${spec.paramKind.apiVersion}/${spec.paramKind.kind}` : "<unset>",
    ),
    ageColumn,
  ],
});

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
    column("PolicyName", ({ spec }) => spec?.policyName ?? ""),
    column("ParamRef", ({ spec }) => {
      const reference = spec?.paramRef;
      if (!reference) return "<unset>";
      const name = reference.name ?? "*";
      return reference.namespace ? `${reference.namespace}/${name}` : name;
    }),
    ageColumn,
  ],
});
