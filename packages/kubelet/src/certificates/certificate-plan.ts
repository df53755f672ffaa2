// When a certificate must be asked for again, and what it must say (upstream: certificate_manager.go,
// kubelet/certificate/kubelet.go). Pure.

import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { NodeAddress } from "@picokube/api/core/v1";

/** What a request asks for. */
export interface CertificateTemplate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

/** The identity of a node. */
export function nodeTemplate(nodeName: string): CertificateTemplate {
  return {
    commonName: `system:node:${nodeName}`,
    organizations: ["system:nodes"],
    dnsNames: [],
    ipAddresses: [],
  };
}

/** What the kubelet serves with: its node's names and addresses; undefined while it has no IP address (addressesToHostnamesAndIPs). */
export function servingTemplate(nodeName: string, addresses: readonly NodeAddress[]): CertificateTemplate | undefined {
  const dnsNames = new Set<string>();
  const ipAddresses = new Set<string>();
  for (const { type, address } of addresses) {
    if (!address) continue;
    if (type === "Hostname" && isIP(address)) ipAddresses.add(address);
    else if (/^(Hostname|InternalDNS|ExternalDNS)$/.test(type)) dnsNames.add(address);
    else if (/^(InternalIP|ExternalIP)$/.test(type) && isIP(address)) ipAddresses.add(address);
  }
  if (ipAddresses.size === 0) return undefined;
  return { ...nodeTemplate(nodeName), dnsNames: [...dnsNames].sort(), ipAddresses: [...ipAddresses].sort() };
}

/** Why the certificate does not do; undefined when it says all that the template asks, and perhaps more (certSatisfiesTemplate). */
export function templateFault(leaf: X509Certificate, template: CertificateTemplate): string | undefined {
  const subject = leaf.subject.split("\n");
  const commonName = subject.find((part) => part.startsWith("CN="))?.slice(3) ?? "";
  if (commonName !== template.commonName)
    return `Current certificate CN (${commonName}) does not match requested CN (${template.commonName})`;
  const missing = (wanted: readonly string[], has: (name: string) => boolean) => wanted.filter((name) => !has(name));
  const alternatives = new Set((leaf.subjectAltName ?? "").split(", "));
  const dnsNames = missing(template.dnsNames, (name) => alternatives.has(`DNS:${name}`));
  if (dnsNames.length > 0) return `Current certificate is missing requested DNS names [${dnsNames.join(" ")}]`;
  const addresses = missing(template.ipAddresses, (name) => leaf.checkIP(name) !== undefined);
  if (addresses.length > 0) return `Current certificate is missing requested IP addresses [${addresses.join(" ")}]`;
  const organizations = missing(template.organizations, (name) => subject.includes(`O=${name}`));
  if (organizations.length > 0) return `Current certificate is missing requested orgs [${organizations.join(" ")}]`;
  return undefined;
}

/** When to rotate: after 70 to 90 % of the certificate's life, so that nodes made together do not ask together. */
export function rotationDeadlineMs(leaf: X509Certificate, random: () => number): number {
  const fromMs = Date.parse(leaf.validFrom);
  const lifeMs = Date.parse(leaf.validTo) - fromMs;
  return fromMs + lifeMs * (0.7 + 0.2 * random());
}

/** Whether two templates ask for the same. */
export function sameTemplate(a: CertificateTemplate | undefined, b: CertificateTemplate | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
