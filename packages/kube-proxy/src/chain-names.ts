// Names of chains, hashed exactly as upstream does (pkg/proxy/iptables portProtoHash), so that what a book shows is what
// iptables-save shows here. Pure.

import { createHash } from "node:crypto";

const base32Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function hash16(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let bits = 0n;
  for (const byte of digest.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let name = "";
  for (let i = 15; i >= 0; i--) name += base32Alphabet[Number((bits >> BigInt(i * 5)) & 31n)];
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
