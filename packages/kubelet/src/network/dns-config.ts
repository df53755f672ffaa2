// What a pod's /etc/resolv.conf says, by its dnsPolicy and dnsConfig. Mirrors upstream's network/dns Configurer. Pure.

import type { Pod } from "@picokube/api/core/v1";

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What the kubelet knows of the cluster's and the host's DNS. */
export interface DnsSurroundings {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  readonly host: DnsConfig;
}

const maxServers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
const clusterOptions = ["ndots:5"];

const unique = (values: readonly string[]) => [...new Set(values)];

/** Reads a resolv.conf; the last search line counts. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split("\n")) {
    const [word, ...values] = line.trim().split(/\s+/);
    if (word === "nameserver" && values[0]) servers.push(values[0]);
    if (word === "search") searches = values.map((name) => (name === "." ? name : name.replace(/\.$/, "")));
    if (word === "options") options = values;
  }
  return { servers, searches, options };
}

function ofPolicy(pod: Pod, { clusterDns, clusterDomain, host }: DnsSurroundings): DnsConfig {
  const policy = pod.spec?.dnsPolicy ?? "ClusterFirst";
  if (policy === "None") return { servers: [], searches: [], options: [] };
  const clusterFirst =
    policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && pod.spec?.hostNetwork !== true);
  if (!clusterFirst || clusterDns.length === 0) return host;
  const clusterSearches = clusterDomain
    ? [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    : [];
  return {
    servers: clusterDns,
    searches: unique([...clusterSearches, ...host.searches]),
    options: clusterOptions,
  };
}

/** Options by name; later ones win, and keep the place of the first. */
function mergeOptions(existing: readonly string[], added: readonly { name?: string; value?: string }[]): string[] {
  const merged = new Map(existing.map((option) => [option.split(":")[0]!, option]));
  for (const { name, value } of added) {
    if (name) merged.set(name, value === undefined || value === "" ? name : `${name}:${value}`);
  }
  return [...merged.values()];
}

function fitSearches(searches: readonly string[]): string[] {
  const fitted = searches.slice(0, maxSearches);
  while (fitted.join(" ").length > maxSearchCharacters) fitted.pop();
  return fitted;
}

/** A pod's DNS configuration, cut to the limits of resolvers. */
export function podDnsConfig(pod: Pod, surroundings: DnsSurroundings): DnsConfig {
  const base = ofPolicy(pod, surroundings);
  const own = pod.spec?.dnsConfig;
  return {
    servers: unique([...base.servers, ...(own?.nameservers ?? [])]).slice(0, maxServers),
    searches: fitSearches(unique([...base.searches, ...(own?.searches ?? [])])),
    options: mergeOptions(base.options, own?.options ?? []),
  };
}

/** The file's text, in upstream's order. */
export function resolvConfText({ servers, searches, options }: DnsConfig): string {
  return [
    ...(searches.length > 0 ? [`search ${searches.join(" ")}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(" ")}`] : []),
    "",
  ].join("\n");
}
