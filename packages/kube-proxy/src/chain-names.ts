// Names of chains, hashed exactly as upstream does (pkg/proxy/iptables portProtoHash), so that what a book shows is what
// iptables-save shows here. Pure.

import { hash } from "node:crypto";

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

// The first 16 letters of the digest in base 32: five bits a letter, eighty bits in all.
function hash16(text: string): string {
  const digest = hash("sha256", text, "buffer");
  let name = "";
  for (let bit = 0; bit < 80; bit += 5) {
    const pair = (digest[bit >> 3]! << 8) | digest[(bit >> 3) + 1]!;
    name += base32Alphabet[(pair >> (11 - (bit & 7))) & 31];
  }
  return name;
}

export interface ServiceChains {
  /** SVC: the Cluster policy; SVL: the Local one; EXT: traffic from outside; FW: source ranges of a load balancer. */
  readonly cluster: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

/** The chains of a service port; protocol in any case. */
export function serviceChains(prefix: string, servicePortName: string, protocol: string): ServiceChains {
  const hash = hash16(servicePortName + protocol.toLowerCase());
  return {
    cluster: `${prefix}-SVC-${hash}`,
    local: `${prefix}-SVL-${hash}`,
    external: `${prefix}-EXT-${hash}`,
    firewall: `${prefix}-FW-${hash}`,
  };
}

/** The chain of one endpoint ("10.244.0.5:80") of a service port. */
export function endpointChain(prefix: string, servicePortName: string, protocol: string, endpoint: string): string {
  return `${prefix}-SEP-${hash16(servicePortName + protocol.toLowerCase() + endpoint)}`;
}

const servicePattern = /^(SVC|SVL|EXT|FW|SEP)-[A-Z2-7]{16}$/;
const topLevel = new Set([
  "SERVICES",
  "EXTERNAL-SERVICES",
  "NODEPORTS",
  "POSTROUTING",
  "MARK-MASQ",
  "FORWARD",
  "PROXY-FIREWALL",
  "FIREWALL",
]);

/** Whether the chain belongs to one service port (SVC, SVL, EXT, FW) or endpoint (SEP); upstream's isServiceChainName. */
export function isServiceChain(prefix: string, chain: string): boolean {
  return chain.startsWith(`${prefix}-`) && servicePattern.test(chain.slice(prefix.length + 1));
}

/** Whether the chain is one of kube-proxy's at all. */
export function isOwnChain(prefix: string, chain: string): boolean {
  if (!chain.startsWith(`${prefix}-`)) return false;
  return topLevel.has(chain.slice(prefix.length + 1)) || isServiceChain(prefix, chain);
}
