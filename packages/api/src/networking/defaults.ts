// Defaults of the networking group (upstream: pkg/apis/networking/v1/defaults.go). Pure, in place, idempotent.

import type { IngressClass, NetworkPolicy } from "./v1.js";

/** Protocols, and the policy types that the rules imply. */
export function setNetworkPolicyDefaults({ spec }: NetworkPolicy): void {
  if (!spec) return;
  for (const rule of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of rule.ports ?? []) port.protocol ??= "TCP";
  }
  if ((spec.policyTypes ?? []).length === 0) {
    spec.policyTypes = (spec.egress ?? []).length > 0 ? ["Ingress", "Egress"] : ["Ingress"];
  }
}

export function setIngressClassDefaults({ spec }: IngressClass): void {
  if (spec?.parameters) spec.parameters.scope ??= "Cluster";
}
