// Services and EndpointSlices turned into what rules are made of: one entry a service port with its endpoints. Pure.
// Mirrors upstream's pkg/proxy BaseServicePortInfo and ShouldSkipService.

import type { ServicePort as ApiServicePort, Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { type Endpoint, endpointsOf } from "./endpoints.js";
import { familyOf, type IpFamily } from "./ip-family.js";
import { type CategorizedEndpoints, categorizeEndpoints } from "./topology.js";

export type Protocol = "TCP" | "UDP" | "SCTP";

/** One port of one Service in one IP family, with all that its rules depend on. */
export interface ServicePort {
  /** "default/web:http"; without the colon when the port has no name. */
  readonly name: string;
  /** "default/web" */
  readonly service: string;
  readonly protocol: Protocol;
  readonly clusterIp: string;
  readonly port: number;
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  /** Seconds of client affinity; undefined without. */
  readonly affinitySeconds: number | undefined;
  readonly externalLocal: boolean;
  readonly internalLocal: boolean;
  /** 0 when there is none. */
  readonly healthCheckNodePort: number;
  /** All that the slices name, usable or not. */
  readonly endpoints: readonly Endpoint[];
  /** Those of them that traffic may go to. */
  readonly usable: CategorizedEndpoints;
}

/** Where the ports are seen from. */
export interface Viewpoint {
  readonly family: IpFamily;
  readonly nodeName: string;
  /** The node's topology.kubernetes.io/zone; "" without. */
  readonly zone: string;
}

/** The ports of one Service in one family with the endpoints that its slices name for each; none for a Service without
 *  a cluster IP of the family, or an ExternalName one. */
export function servicePorts(service: Service, slices: readonly EndpointSlice[], from: Viewpoint): ServicePort[] {
  const clusterIp = clusterIpOf(service, from.family);
  if (clusterIp === undefined) return [];
  return (service.spec!.ports ?? []).map((port) => servicePort(service, { port, clusterIp, slices, from }));
}

/** Upstream's ShouldSkipService and GetClusterIPByFamily. */
function clusterIpOf({ spec }: Service, family: IpFamily): string | undefined {
  if (spec?.type === "ExternalName" || !spec?.clusterIP || spec.clusterIP === "None") return undefined;
  return (spec.clusterIPs ?? [spec.clusterIP]).find((ip) => familyOf(ip) === family);
}

function servicePort(
  service: Service,
  {
    port,
    clusterIp,
    slices,
    from,
  }: { port: ApiServicePort; clusterIp: string; slices: readonly EndpointSlice[]; from: Viewpoint },
): ServicePort {
  const spec = service.spec!;
  const namespacedName = `${service.metadata.namespace}/${service.metadata.name}`;
  const ofFamily = (addresses: readonly string[]) => addresses.filter((address) => familyOf(address) === from.family);
  const isBalanced = spec.type === "LoadBalancer";
  const ingress = (isBalanced && service.status?.loadBalancer?.ingress) || [];
  const shape = {
    name: port.name ? `${namespacedName}:${port.name}` : namespacedName,
    service: namespacedName,
    protocol: (port.protocol ?? "TCP") as Protocol,
    clusterIp,
    port: port.port,
    nodePort: isBalanced || spec.type === "NodePort" ? (port.nodePort ?? 0) : 0,
    externalIps: ofFamily(spec.externalIPs ?? []),
    // A balancer in Proxy mode ends connections itself: packets from here must go through it (KEP-1860).
    loadBalancerIps: ofFamily(ingress.flatMap(({ ip, ipMode }) => (ip && ipMode !== "Proxy" ? [ip] : []))),
    // Validation lets blanks around the ranges pass.
    loadBalancerSourceRanges: ofFamily((spec.loadBalancerSourceRanges ?? []).map((range) => range.trim())),
    affinitySeconds:
      spec.sessionAffinity === "ClientIP"
        ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
        : undefined,
    externalLocal: spec.externalTrafficPolicy === "Local",
    internalLocal: spec.internalTrafficPolicy === "Local",
    healthCheckNodePort: isBalanced && spec.externalTrafficPolicy === "Local" ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  const endpoints = endpointsOf(slices, { port, family: from.family, nodeName: from.nodeName });
  const usable = categorizeEndpoints(endpoints, { zone: from.zone, ...policiesOf(shape) });
  return { ...shape, endpoints, usable };
}

/** Whether the port is reached by something other than its cluster IP. */
export function isExternallyAccessible(
  port: Pick<ServicePort, "nodePort" | "externalIps" | "loadBalancerIps">,
): boolean {
  return port.nodePort !== 0 || port.externalIps.length > 0 || port.loadBalancerIps.length > 0;
}

/** Which traffic policies the port ever uses: external traffic that begins on a node goes by Cluster whatever is asked. */
export function policiesOf(
  port: Pick<ServicePort, "nodePort" | "externalIps" | "loadBalancerIps" | "internalLocal" | "externalLocal">,
): { usesCluster: boolean; usesLocal: boolean } {
  const isExternal = isExternallyAccessible(port);
  return {
    usesCluster: !port.internalLocal || isExternal,
    usesLocal: port.internalLocal || (isExternal && port.externalLocal),
  };
}
