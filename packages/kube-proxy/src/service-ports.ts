// Services and EndpointSlices turned into what rules are made of: one entry a service port with its endpoints. Pure.
// Mirrors upstream's pkg/proxy ServiceChangeTracker, EndpointSliceCache and CategorizeEndpoints.

import type { ServicePort as ApiServicePort, Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
  readonly isLocal: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export type Protocol = "TCP" | "UDP" | "SCTP";

/** One port of one Service, with all that its rules depend on. */
export interface ServicePort {
  /** "default/web:http"; without the colon when the port has no name. */
  readonly name: string;
  readonly namespace: string;
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
  /** Endpoints that traffic under the Cluster policy goes to, and those of this node under the Local policy. */
  readonly clusterEndpoints: readonly Endpoint[];
  readonly localEndpoints: readonly Endpoint[];
}

const proxyNameLabel = "service.kubernetes.io/service-proxy-name";

/** Not for Services without a cluster IP, ExternalName ones, or those that another proxy serves. */
export function shouldProxy(service: Service): boolean {
  const { clusterIP, type } = service.spec ?? {};
  if (type === "ExternalName" || !clusterIP || clusterIP === "None" || clusterIP.includes(":")) return false;
  return service.metadata.labels?.[proxyNameLabel] === undefined;
}

/** The ports of one Service with the endpoints that its slices name for each. */
export function servicePorts(service: Service, slices: readonly EndpointSlice[], nodeName: string): ServicePort[] {
  if (!shouldProxy(service)) return [];
  return (service.spec!.ports ?? []).map((port) => servicePort(service, port, endpointsFor(slices, port, nodeName)));
}

function servicePort(service: Service, port: ApiServicePort, endpoints: readonly Endpoint[]): ServicePort {
  const spec = service.spec!;
  const namespacedName = `${service.metadata.namespace}/${service.metadata.name}`;
  const affinity =
    spec.sessionAffinity === "ClientIP" ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800) : undefined;
  return {
    name: port.name ? `${namespacedName}:${port.name}` : namespacedName,
    namespace: service.metadata.namespace ?? "",
    service: service.metadata.name,
    protocol: (port.protocol ?? "TCP") as Protocol,
    clusterIp: spec.clusterIP!,
    port: port.port,
    nodePort: spec.type === "NodePort" || spec.type === "LoadBalancer" ? (port.nodePort ?? 0) : 0,
    externalIps: spec.externalIPs?.filter(isIpv4) ?? [],
    loadBalancerIps:
      spec.type === "LoadBalancer"
        ? (service.status?.loadBalancer?.ingress ?? [])
            .filter(({ ip, ipMode }) => ip && isIpv4(ip) && ipMode !== "Proxy")
            .map(({ ip }) => ip!)
        : [],
    loadBalancerSourceRanges: spec.loadBalancerSourceRanges?.filter(isIpv4) ?? [],
    affinitySeconds: affinity,
    externalLocal: spec.externalTrafficPolicy === "Local",
    internalLocal: spec.internalTrafficPolicy === "Local",
    healthCheckNodePort: spec.healthCheckNodePort ?? 0,
    clusterEndpoints: usable(endpoints),
    localEndpoints: usable(endpoints.filter(({ isLocal }) => isLocal)),
  };
}

function isIpv4(address: string): boolean {
  return !address.includes(":");
}

// Ready ones; without any, those that still serve while they terminate (KEP-1669).
function usable(endpoints: readonly Endpoint[]): Endpoint[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  return ready.length > 0 ? ready : endpoints.filter(({ serving, terminating }) => serving && terminating);
}

function endpointsFor(slices: readonly EndpointSlice[], port: ApiServicePort, nodeName: string): Endpoint[] {
  const byAddress = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== "IPv4") continue;
    for (const slicePort of slice.ports ?? []) {
      if ((slicePort.name ?? "") !== (port.name ?? "") || (slicePort.protocol ?? "TCP") !== (port.protocol ?? "TCP"))
        continue;
      for (const { addresses, conditions, nodeName: endpointNode } of slice.endpoints ?? []) {
        const ip = addresses[0];
        if (ip === undefined || slicePort.port === undefined) continue;
        const ready = conditions?.ready !== false;
        byAddress.set(`${ip}:${slicePort.port}`, {
          ip,
          port: slicePort.port,
          isLocal: endpointNode === nodeName,
          ready,
          serving: conditions?.serving ?? ready,
          terminating: conditions?.terminating === true,
        });
      }
    }
  }
  return [...byAddress.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
