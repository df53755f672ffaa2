// What the three controllers of CertificateSigningRequests ask of one: its state, and whether a kubelet may have made it
// (upstream: pkg/apis/certificates/helpers.go). Pure.

import type { CertificateSigningRequest } from "@picokube/api/certificates/v1";
import type { CertificateRequest } from "@picokube/pki/certificate-request";

type ConditionType = "Approved" | "Denied" | "Failed";

const KUBELET_CLIENT_USAGES = ["client auth", "digital signature", "key encipherment"];
const KUBELET_SERVING_USAGES = ["digital signature", "key encipherment", "server auth"];

export function hasCondition({ status }: CertificateSigningRequest, wanted: ConditionType): boolean {
  return (status?.conditions ?? []).some(({ type, status: value }) => type === wanted && value !== "False");
}

export function isApproved(csr: CertificateSigningRequest): boolean {
  return hasCondition(csr, "Approved") && !hasCondition(csr, "Denied");
}

/** The request's PEM text. */
export function requestOf({ spec }: CertificateSigningRequest): string {
  return Buffer.from(spec.request, "base64").toString("utf8");
}

/** Why the request is no kubelet's for a client certificate; undefined when it is one (ValidateKubeletClientCSR). */
export function kubeletClientFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  if (!isSystemNodes(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (request.ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  return nodeNameFault(request) ?? usagesFault(usages, KUBELET_CLIENT_USAGES);
}

/** Why the request is no kubelet's for a serving certificate; undefined when it is one (ValidateKubeletServingCSR). */
export function kubeletServingFault(request: CertificateRequest, usages: readonly string[]): string | undefined {
  if (!isSystemNodes(request)) return "subject organization is not system:nodes";
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  if (request.emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (request.uris.length > 0) return "URI subjectAltNames are not allowed";
  return usagesFault(usages, KUBELET_SERVING_USAGES) ?? nodeNameFault(request);
}

function isSystemNodes({ organizations }: CertificateRequest): boolean {
  return organizations.length === 1 && organizations[0] === "system:nodes";
}

function nodeNameFault({ commonName }: CertificateRequest): string | undefined {
  return commonName.startsWith("system:node:") ? undefined : "subject common name does not begin with system:node:";
}

/** Keys that are not RSA have no use for key encipherment: with it or without. */
function usagesFault(usages: readonly string[], wanted: readonly string[]): string | undefined {
  const given = [...new Set(usages)].filter((usage) => usage !== "key encipherment").sort();
  const required = wanted.filter((usage) => usage !== "key encipherment");
  return given.join() === required.join() ? undefined : `usages did not match [${wanted.join(" ")}]`;
}
