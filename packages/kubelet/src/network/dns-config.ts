// What a pod's /etc/resolv.conf says, by its dnsPolicy and dnsConfig. Mirrors upstream's network/dns Configurer. Pure.

import type { Pod } from "@picokube/api/core/v1";
import { podName } from "../pods/pod-events.js";

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

/** What the kubelet knows of the cluster's and the host's DNS. */
export interface DnsSurroundings {
  readonly clusterDns: readonly string[];
  readonly clusterDomain: string;
  /** Undefined: the kubelet was told to use no file of the host's. */
  readonly host: DnsConfig | undefined;
}

/** What an event says of a configuration that had to be another than the pod asked for. */
export interface DnsWarning {
  readonly reason: "DNSConfigForming" | "MissingClusterDNS";
  readonly message: string;
}

const maxServers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
const maxSearchLength = 253;
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

/** Resolvers without a server ask this machine's: lookups are off. */
const off: DnsConfig = { servers: ["127.0.0.1"], searches: ["."], options: [] };

const wantsCluster = ({ spec }: Pod) => {
  const policy = spec?.dnsPolicy ?? "ClusterFirst";
  return policy === "ClusterFirstWithHostNet" || (policy === "ClusterFirst" && spec?.hostNetwork !== true);
};

function ofPolicy(pod: Pod, { clusterDns, clusterDomain, host }: DnsSurroundings): DnsConfig {
  if (pod.spec?.dnsPolicy === "None") return { servers: [], searches: [], options: [] };
  if (!wantsCluster(pod) || clusterDns.length === 0) return host ?? off;
  const clusterSearches = clusterDomain
    ? [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
    : [];
  return {
    servers: clusterDns,
    searches: unique([...clusterSearches, ...(host?.searches ?? [])]),
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

/** Resolvers of the world abort at longer names, and read no more than so many. */
function fitSearches(searches: readonly string[]): string[] {
  const fitted = searches.slice(0, maxSearches).filter(({ length }) => length <= maxSearchLength);
  while (fitted.join(" ").length > maxSearchCharacters) fitted.pop();
  return fitted;
}

function forming(what: string, applied: readonly string[]): DnsWarning {
  return { reason: "DNSConfigForming", message: `${what}: ${applied.join(" ")}` };
}

function warningsOf(wanted: DnsConfig, applied: DnsConfig): DnsWarning[] {
  const warnings: DnsWarning[] = [];
  if (applied.servers.length < wanted.servers.length) {
    const words = "Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is";
    warnings.push(forming(words, applied.servers));
  }
  if (applied.searches.length < wanted.searches.length) {
    const words = "Search Line limits were exceeded, some search paths have been omitted, the applied search line is";
    warnings.push(forming(words, applied.searches));
  }
  return warnings;
}

function missingClusterDns(pod: Pod): DnsWarning {
  const words =
    'kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.';
  return { reason: "MissingClusterDNS", message: `pod: ${JSON.stringify(podName(pod))}. ${words}` };
}

/** A pod's DNS configuration, cut to the limits of resolvers, and what is to be told of that. */
export function podDnsConfig(
  pod: Pod,
  surroundings: DnsSurroundings,
): { config: DnsConfig; warnings: readonly DnsWarning[] } {
  const base = ofPolicy(pod, surroundings);
  const own = pod.spec?.dnsConfig;
  const wanted = {
    servers: unique([...base.servers, ...(own?.nameservers ?? [])]),
    searches: unique([...base.searches, ...(own?.searches ?? [])]),
    options: mergeOptions(base.options, own?.options ?? []),
  };
  const config = {
    ...wanted,
    servers: wanted.servers.slice(0, maxServers),
    searches: fitSearches(wanted.searches),
  };
  const misses = wantsCluster(pod) && surroundings.clusterDns.length === 0;
  return { config, warnings: [...(misses ? [missingClusterDns(pod)] : []), ...warningsOf(wanted, config)] };
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
