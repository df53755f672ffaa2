// DNS names of the cluster: how they are taken apart and what they stand for. Pure; follows the Kubernetes DNS-based
// service discovery specification, version 1.1.0.

/** What a name below the cluster domain asks for. */
export type ClusterName =
  | { readonly kind: "apex" }
  | { readonly kind: "version" }
  /** "svc" or "pod" alone, or a namespace below one of them: exists, has no records. */
  | { readonly kind: "branch"; readonly namespace: string | undefined }
  | { readonly kind: "service"; readonly namespace: string; readonly service: string }
  | { readonly kind: "endpoint"; readonly namespace: string; readonly service: string; readonly endpoint: string }
  | {
      readonly kind: "port";
      readonly namespace: string;
      readonly service: string;
      readonly port: string;
      readonly protocol: string;
    }
  | { readonly kind: "pod"; readonly namespace: string; readonly ip: string }
  | { readonly kind: "unknown" };

/** Takes a name apart; undefined when it does not lie in the zone. Names and zone in lower case, without the last dot. */
export function parseClusterName(name: string, zone: string): ClusterName | undefined {
  if (name === zone) return { kind: "apex" };
  if (!name.endsWith(`.${zone}`)) return undefined;
  const labels = name.slice(0, -zone.length - 1).split(".");
  const branch = labels.pop();
  if (branch === "dns-version" && labels.length === 0) return { kind: "version" };
  if (branch !== "svc" && branch !== "pod") return { kind: "unknown" };
  const namespace = labels.pop();
  if (namespace === undefined) return { kind: "branch", namespace: undefined };
  const last = labels.pop();
  if (last === undefined) return { kind: "branch", namespace };
  if (branch === "pod") return labels.length === 0 ? podName(namespace, last) : { kind: "unknown" };
  if (labels.length === 0) return { kind: "service", namespace, service: last };
  const [first, second] = labels;
  if (labels.length === 1) return { kind: "endpoint", namespace, service: last, endpoint: first! };
  if (labels.length === 2 && first!.startsWith("_") && (second === "_tcp" || second === "_udp" || second === "_sctp"))
    return { kind: "port", namespace, service: last, port: first!.slice(1), protocol: second.slice(1) };
  return { kind: "unknown" };
}

function podName(namespace: string, label: string): ClusterName {
  const ip = label.replaceAll("-", ".");
  return isIpv4(ip) ? { kind: "pod", namespace, ip } : { kind: "unknown" };
}

function isIpv4(text: string): boolean {
  const octets = text.split(".");
  return octets.length === 4 && octets.every((octet) => /^\d{1,3}$/.test(octet) && Number(octet) <= 255);
}

/** "5.0.244.10.in-addr.arpa" is 10.244.0.5; undefined when the name is no whole IPv4 address. */
export function parseReverseName(name: string): string | undefined {
  const suffix = ".in-addr.arpa";
  if (!name.endsWith(suffix)) return undefined;
  const ip = name.slice(0, -suffix.length).split(".").reverse().join(".");
  return isIpv4(ip) ? ip : undefined;
}

/** The label of an endpoint without a host name: its address with dashes. */
export function dashedIp(ip: string): string {
  return ip.replaceAll(".", "-").replaceAll(":", "-");
}
