// A pod's names, and its /etc/hosts in upstream's words and order. Pure.

import type { Pod } from "@picokube/api/core/v1";

export interface HostsFile {
  readonly pod: Pod;
  readonly podIps: readonly string[];
  readonly clusterDomain: string;
  /** The node's own /etc/hosts, for pods on the host's network. */
  readonly nodeHosts: string;
}

function aliases(pod: Pod): string {
  const lines = (pod.spec?.hostAliases ?? []).map(({ ip, hostnames }) => `${ip}\t${(hostnames ?? []).join("\t")}\n`);
  return lines.length === 0 ? "" : `\n# Entries added by HostAliases.\n${lines.join("")}`;
}

/** Hostname of the pod, cut to what Linux takes: spec.hostname or the pod's name. */
export function podHostname(pod: Pod): string {
  const name = pod.spec?.hostname || pod.metadata.name;
  return name.slice(0, 63).replace(/[-.]+$/, "");
}

/** The fully qualified name that spec.subdomain gives; empty without one. */
export function podDomainName(pod: Pod, clusterDomain: string): string {
  const subdomain = pod.spec?.subdomain;
  return subdomain ? `${podHostname(pod)}.${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}` : "";
}

const maxKernelHostname = 64;

/** What the kernel calls the pod: upstream's GetNodenameForKernel. Throws for a full name that is too long for it. */
export function kernelHostname(pod: Pod, clusterDomain: string): string {
  const name = podDomainName(pod, clusterDomain);
  if (pod.spec?.setHostnameAsFQDN !== true || name === "") return podHostname(pod);
  if (name.length <= maxKernelHostname) return name;
  throw new Error(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${name} is too long (${maxKernelHostname} characters is the max, ${name.length} characters requested)`,
  );
}

/** The file's text. */
export function hostsFileText({ pod, podIps, clusterDomain, nodeHosts }: HostsFile): string {
  if (pod.spec?.hostNetwork) {
    return `# Kubernetes-managed hosts file (host network).\n${nodeHosts}${aliases(pod)}`;
  }
  const names = [podDomainName(pod, clusterDomain), podHostname(pod)].filter((name) => name !== "");
  return [
    "# Kubernetes-managed hosts file.\n",
    "127.0.0.1\tlocalhost\n",
    "::1\tlocalhost ip6-localhost ip6-loopback\n",
    "fe00::0\tip6-localnet\n",
    "fe00::0\tip6-mcastprefix\n",
    "fe00::1\tip6-allnodes\n",
    "fe00::2\tip6-allrouters\n",
    ...podIps.map((ip) => `${ip}\t${names.join("\t")}\n`),
    aliases(pod),
  ].join("");
}
