// DNS names of the cluster: how they are taken apart and what they stand for. Pure; follows the Kubernetes DNS-based
// service discovery specification, version 1.1.0, and where that is silent CoreDNS's kubernetes plugin.

import { isIPv4, isIPv6, SocketAddress } from "node:net";

/** What a name below the cluster domain asks for. */
export type ClusterName =
  | { readonly kind: "apex" }
  | { readonly kind: "version" }
  | { readonly kind: "nameserver" }
  /** "svc", "pod" or "dns" alone, or a namespace below one of the first two: exists, has no records. */
  | { readonly kind: "branch"; readonly namespace: string | undefined }
  | ServiceName
  | { readonly kind: "pod"; readonly namespace: string; readonly ip: string }
  | { readonly kind: "unknown" };

/** A Service, one of its endpoints, or one of its ports: at most one of endpoint and port is there. */
export interface ServiceName {
  readonly kind: "service";
  readonly namespace: string;
  readonly service: string;
  readonly endpoint?: string;
  /** Without the underscores, as "http" and "tcp". */
  readonly port?: { readonly name: string; readonly protocol: string };
}

/** Takes a name apart (upstream: parseRequest); undefined when it does not lie in the zone. Both in lower case, without
 *  the last dot. */
export function parseClusterName(name: string, zone: string): ClusterName | undefined {
  if (name === zone) return { kind: "apex" };
  if (!name.endsWith(`.${zone}`)) return undefined;
  const labels = name.slice(0, -zone.length - 1).split(".");
  const branch = labels.pop()!;
  if (branch === "dns-version" && labels.length === 0) return { kind: "version" };
  if (branch === "dns") {
    if (labels.length === 0) return { kind: "branch", namespace: undefined };
    return labels.length === 1 && labels[0] === "ns" ? { kind: "nameserver" } : { kind: "unknown" };
  }
  if (branch !== "svc" && branch !== "pod") return { kind: "unknown" };
  const namespace = labels.pop();
  if (namespace === undefined) return { kind: "branch", namespace: undefined };
  const last = labels.pop();
  if (last === undefined) return { kind: "branch", namespace };
  if (branch === "pod") return labels.length === 0 ? podName(namespace, last) : { kind: "unknown" };
  const service = { kind: "service", namespace, service: last } as const;
  const [first, second] = labels;
  switch (labels.length) {
    case 0:
      return service;
    case 1:
      return { ...service, endpoint: first! };
    case 2:
      return { ...service, port: { name: withoutUnderscore(first!), protocol: withoutUnderscore(second!) } };
    default:
      return { kind: "unknown" };
  }
}

function withoutUnderscore(label: string): string {
  return label.startsWith("_") ? label.slice(1) : label;
}

// "10-244-0-5" is 10.244.0.5, "fd00--5" is fd00::5.
function podName(namespace: string, label: string): ClusterName {
  const ipv4 = label.replaceAll("-", ".");
  if (isIPv4(ipv4)) return { kind: "pod", namespace, ip: ipv4 };
  const ipv6 = label.replaceAll("-", ":");
  return isIPv6(ipv6) ? { kind: "pod", namespace, ip: canonicalIp(ipv6) } : { kind: "unknown" };
}

/** "5.0.244.10.in-addr.arpa" is 10.244.0.5, 32 nibbles below ip6.arpa are an IPv6 address; undefined for anything else. */
export function parseReverseName(name: string): string | undefined {
  if (name.endsWith(".in-addr.arpa")) {
    const ip = name.slice(0, -".in-addr.arpa".length).split(".").reverse().join(".");
    return isIPv4(ip) ? ip : undefined;
  }
  if (!name.endsWith(".ip6.arpa")) return undefined;
  const nibbles = name.slice(0, -".ip6.arpa".length).split(".").reverse();
  if (nibbles.length !== 32 || !nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
  return canonicalIp(nibbles.join("").match(/.{4}/g)!.join(":"));
}

/** One spelling for each address: objects may carry any. */
export function canonicalIp(ip: string): string {
  return isIPv6(ip) ? new SocketAddress({ address: ip, family: "ipv6" }).address : ip;
}

/** The label of an endpoint without a host name: its address with dashes. */
export function dashedIp(ip: string): string {
  return ip.replaceAll(".", "-").replaceAll(":", "-");
}
