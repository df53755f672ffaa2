// Defaults of webhooks and admission policies (upstream: pkg/apis/admissionregistration/v1/defaults.go). Pure, in place.

import type {
  MutatingWebhookConfiguration,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
} from "./v1.js";

interface Match {
  matchPolicy?: string;
  namespaceSelector?: object;
  objectSelector?: object;
}

interface Webhook extends Match {
  failurePolicy?: string;
  timeoutSeconds?: number;
  reinvocationPolicy?: string;
  clientConfig?: { service?: { port?: number } };
  rules?: { scope?: string }[];
}

function setMatchDefaults(match: Match): void {
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
}

function setWebhookDefaults(webhook: Webhook): void {
  webhook.failurePolicy ??= "Fail";
  setMatchDefaults(webhook);
  webhook.timeoutSeconds ??= 10;
  if (webhook.clientConfig?.service) webhook.clientConfig.service.port ??= 443;
  for (const rule of webhook.rules ?? []) rule.scope ??= "*";
}

export function setValidatingWebhookConfigurationDefaults({ webhooks }: ValidatingWebhookConfiguration): void {
  for (const webhook of webhooks ?? []) setWebhookDefaults(webhook as Webhook);
}

export function setMutatingWebhookConfigurationDefaults({ webhooks }: MutatingWebhookConfiguration): void {
  for (const webhook of webhooks ?? []) {
    setWebhookDefaults(webhook as Webhook);
    webhook.reinvocationPolicy ??= "Never";
  }
}

interface MatchResources extends Match {
  resourceRules?: { scope?: string }[];
  excludeResourceRules?: { scope?: string }[];
}

function setMatchResourcesDefaults(match: MatchResources | undefined): void {
  if (!match) return;
  setMatchDefaults(match);
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= "*";
}

export function setValidatingAdmissionPolicyDefaults({ spec }: ValidatingAdmissionPolicy): void {
  if (!spec) return;
  spec.failurePolicy ??= "Fail";
  setMatchResourcesDefaults(spec.matchConstraints as MatchResources | undefined);
}

export function setValidatingAdmissionPolicyBindingDefaults({ spec }: ValidatingAdmissionPolicyBinding): void {
  setMatchResourcesDefaults(spec?.matchResources as MatchResources | undefined);
}
