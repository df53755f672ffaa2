// Group "admissionregistration.k8s.io" version v1: the types and names of its kinds.

import type { IMutatingWebhookConfiguration } from "kubernetes-models/admissionregistration.k8s.io/v1/MutatingWebhookConfiguration";
import type { IValidatingAdmissionPolicy } from "kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy";
import type { IValidatingAdmissionPolicyBinding } from "kubernetes-models/admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding";
import type { IValidatingWebhookConfiguration } from "kubernetes-models/admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type MutatingWebhookConfiguration = Kind<IMutatingWebhookConfiguration>;
export const mutatingwebhookconfigurations: Resource<MutatingWebhookConfiguration> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "MutatingWebhookConfiguration",
  resource: "mutatingwebhookconfigurations",
  singular: "mutatingwebhookconfiguration",
  namespaced: false,
  shortNames: [],
  categories: ["api-extensions"],
};

export type ValidatingWebhookConfiguration = Kind<IValidatingWebhookConfiguration>;
export const validatingwebhookconfigurations: Resource<ValidatingWebhookConfiguration> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  resource: "validatingwebhookconfigurations",
  singular: "validatingwebhookconfiguration",
  namespaced: false,
  shortNames: [],
  categories: ["api-extensions"],
};

export type ValidatingAdmissionPolicy = Kind<IValidatingAdmissionPolicy>;
export const validatingadmissionpolicies: Resource<ValidatingAdmissionPolicy> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicy",
  resource: "validatingadmissionpolicies",
  singular: "validatingadmissionpolicy",
  namespaced: false,
  shortNames: [],
  categories: ["api-extensions"],
};

export type ValidatingAdmissionPolicyBinding = Kind<IValidatingAdmissionPolicyBinding>;
export const validatingadmissionpolicybindings: Resource<ValidatingAdmissionPolicyBinding> = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingAdmissionPolicyBinding",
  resource: "validatingadmissionpolicybindings",
  singular: "validatingadmissionpolicybinding",
  namespaced: false,
  shortNames: [],
  categories: ["api-extensions"],
};
