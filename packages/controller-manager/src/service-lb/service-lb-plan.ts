// Which addresses a Service of type LoadBalancer is given, or why none. Pure: nothing is written, nobody is told.

import type { Node, Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { ipFamilyOf } from "@picokube/api/validation/ip";
import { findCondition } from "../conditions.js";
import { type AddressPool, canonicalIp, type IpFamily } from "./address-pool.js";

export const cleanupFinalizer = "service.kubernetes.io/load-balancer-cleanup";
const excludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
const toBeDeletedTaint = "ToBeDeletedByClusterAutoscaler";

/** A port of an address that somebody has. */
export interface TakenPort {
  readonly ip: string;
  readonly port: number;
  readonly protocol: string;
  /** "Service default/web" */
  readonly owner: string;
}

export interface Surroundings {
  readonly nodes: readonly Node[];
  /** Of this Service. */
  readonly slices: readonly EndpointSlice[];
  readonly taken: readonly TakenPort[];
  /** Undefined: the nodes' own addresses are given. */
  readonly pool: AddressPool | undefined;
}

/** Addresses, or the reason why there are none; both empty: no node is there to have one. */
export interface LoadBalancerPlan {
  readonly ips: readonly string[];
  readonly problem?: string;
}

/** Upstream's wantsLoadBalancer: a class is for others to serve. */
export function wantsLoadBalancer({ spec }: Service): boolean {
  return spec?.type === "LoadBalancer" && spec.loadBalancerClass === undefined;
}

/** Upstream's node predicates: not excluded, not about to go, and ready; a node of which nothing is known is not. */
export function canBalance({ metadata, spec, status }: Node): boolean {
  if (metadata.labels?.[excludeLabel] !== undefined) return false;
  if (spec?.taints?.some(({ key }) => key === toBeDeletedTaint)) return false;
  return findCondition(status?.conditions, "Ready")?.status === "True";
}

export function planLoadBalancer(service: Service, surroundings: Surroundings): LoadBalancerPlan {
  const families = (service.spec?.ipFamilies ?? ["IPv4"]) as IpFamily[];
  return surroundings.pool
    ? fromPool(service, { ...surroundings, pool: surroundings.pool, families })
    : fromNodes(service, { ...surroundings, families });
}

function fromPool(
  service: Service,
  { nodes, taken, pool, families }: Surroundings & { pool: AddressPool; families: readonly IpFamily[] },
): LoadBalancerPlan {
  if (!nodes.some(canBalance)) return { ips: [] };
  const requested = requestedIp(service);
  const takenIps = new Set(taken.map(({ ip }) => ip));
  if (requested !== undefined) {
    if (!pool.includes(requested)) return problem(`requested address ${requested} is not in the pool`);
    if (!families.includes(ipFamilyOf(requested)!))
      return problem(`requested address ${requested} is not of the Service's family`);
    const owner = taken.find(({ ip }) => ip === requested)?.owner;
    return owner ? problem(`requested address ${requested} is taken by ${owner}`) : { ips: [requested] };
  }
  const ips: string[] = [];
  for (const family of families) {
    const kept = currentIps(service).find((ip) => ipFamilyOf(ip) === family && pool.includes(ip) && !takenIps.has(ip));
    const ip = kept ?? pool.free(family, takenIps);
    if (ip === undefined) return problem(`no ${family} address of the pool is free`);
    ips.push(ip);
  }
  return { ips };
}

// External addresses if any node has one, else the internal ones.
function fromNodes(
  service: Service,
  { nodes, slices, taken, families }: Surroundings & { families: readonly IpFamily[] },
): LoadBalancerPlan {
  const isLocal = service.spec?.externalTrafficPolicy === "Local";
  const eligible = nodes.filter((node) => canBalance(node) && (!isLocal || hasReadyEndpoint(node, slices)));
  const external = addressesOf(eligible, "ExternalIP");
  const all = external.length > 0 ? external : addressesOf(eligible, "InternalIP");
  const fitting = families.flatMap((family) => all.filter((ip) => ipFamilyOf(ip) === family).sort());
  const requested = requestedIp(service);
  if (requested !== undefined && fitting.length > 0 && !fitting.includes(requested))
    return problem(`requested address ${requested} is of no node that could take it`);
  const ips = requested === undefined ? fitting : fitting.filter((ip) => ip === requested);
  for (const { port, protocol = "TCP" } of service.spec?.ports ?? []) {
    const clash = taken.find((one) => one.port === port && one.protocol === protocol && ips.includes(one.ip));
    if (clash) return problem(`port ${port}/${protocol} of ${clash.ip} is taken by ${clash.owner}`);
  }
  return { ips };
}

function problem(words: string): LoadBalancerPlan {
  return { ips: [], problem: words };
}

function requestedIp({ spec }: Service): string | undefined {
  return spec?.loadBalancerIP ? canonicalIp(spec.loadBalancerIP) : undefined;
}

/** What its status says it has. */
export function currentIps({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => ip ?? []);
}

function addressesOf(nodes: readonly Node[], type: string): string[] {
  const addresses = nodes.flatMap(({ status }) => status?.addresses ?? []).filter((address) => address.type === type);
  return [...new Set(addresses.map(({ address }) => canonicalIp(address)))];
}

/** Whether one of the Service's endpoints is on the node. */
export function hasReadyEndpoint({ metadata }: Node, slices: readonly EndpointSlice[]): boolean {
  return slices.some(({ endpoints }) =>
    endpoints?.some(({ nodeName, conditions }) => nodeName === metadata.name && conditions?.ready !== false),
  );
}

/** The ports that a Service has on its addresses. */
export function portsOf(service: Service, ips: readonly string[]): TakenPort[] {
  const owner = `Service ${service.metadata.namespace}/${service.metadata.name}`;
  return ips.flatMap((ip) =>
    (service.spec?.ports ?? []).map(({ port, protocol = "TCP" }) => ({ ip, port, protocol, owner })),
  );
}

/** The ports of nodes that the cluster itself lives by: the apiservers' and the kubelets'. */
export function portsOfCluster(nodes: readonly Node[], apiServers: readonly EndpointSlice[]): TakenPort[] {
  const kubelets = nodes.flatMap((node) => {
    const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
    const ips = (node.status?.addresses ?? []).map(({ address }) => address);
    return port ? ips.map((ip) => ({ ip, port, protocol: "TCP", owner: `the kubelet of ${node.metadata.name}` })) : [];
  });
  const apis = apiServers.flatMap(({ endpoints, ports }) =>
    (endpoints ?? [])
      .flatMap(({ addresses }) => addresses)
      .flatMap((ip) =>
        (ports ?? []).map(({ port }) => ({ ip, port: port ?? 0, protocol: "TCP", owner: "the apiserver" })),
      ),
  );
  return [...kubelets, ...apis];
}

/** What a change of the Service means to its load balancer, in upstream's words (needsUpdate). */
export function changesOf(before: Service, after: Service): { reason: string; message: string }[] {
  const [was, is] = [before.spec ?? {}, after.spec ?? {}];
  if (wantsLoadBalancer(before) !== wantsLoadBalancer(after))
    return [{ reason: "Type", message: `${was.type} -> ${is.type}` }];
  if (!wantsLoadBalancer(after)) return [];
  const list = (items: readonly string[] | undefined) => `[${(items ?? []).join(" ")}]`;
  const pairs: [reason: string, from: string | number, to: string | number][] = [
    ["LoadBalancerSourceRanges", list(was.loadBalancerSourceRanges), list(is.loadBalancerSourceRanges)],
    ["LoadbalancerIP", was.loadBalancerIP ?? "", is.loadBalancerIP ?? ""],
    ["ExternalTrafficPolicy", was.externalTrafficPolicy ?? "", is.externalTrafficPolicy ?? ""],
    ["HealthCheckNodePort", was.healthCheckNodePort ?? 0, is.healthCheckNodePort ?? 0],
  ];
  return pairs
    .filter(([, from, to]) => from !== to)
    .map(([reason, from, to]) => ({ reason, message: `${from} -> ${to}` }));
}
