// What each type of Service has (upstream: pkg/registry/core/service/strategy.go, pkg/api/service). Pure.

import type { Service, ServiceSpec } from "@picokube/api/core/v1";

export function isHeadless(spec: ServiceSpec | undefined): boolean {
  return spec?.clusterIP === "None" || spec?.clusterIPs?.[0] === "None";
}

export function needsClusterIp(spec: ServiceSpec | undefined): boolean {
  return spec?.type === "ClusterIP" || spec?.type === "NodePort" || spec?.type === "LoadBalancer";
}

export function needsNodePort(spec: ServiceSpec | undefined): boolean {
  return spec?.type === "NodePort" || (spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
}

export function needsHealthCheckPort(spec: ServiceSpec | undefined): boolean {
  return spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
}

/** Reached from outside the cluster (upstream: ExternallyAccessible). */
export function isExternallyAccessible(spec: ServiceSpec | undefined): boolean {
  const type = spec?.type;
  return (
    type === "LoadBalancer" || type === "NodePort" || (type === "ClusterIP" && (spec?.externalIPs ?? []).length > 0)
  );
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Keeps clusterIP and clusterIPs saying the same when a client gave only one of them (upstream: NormalizeClusterIPs). */
export function normalizeClusterIps(service: Service, old: Service | undefined): void {
  const { spec } = service;
  if (!spec) return;
  if (!old) {
    if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
    return;
  }
  const before = old.spec;
  if (spec.clusterIP === before?.clusterIP) return;
  if (!same(spec.clusterIPs, before?.clusterIPs)) return;
  if (!spec.clusterIP) delete spec.clusterIPs;
  else if (!before?.clusterIP) spec.clusterIPs = [spec.clusterIP];
  else spec.clusterIPs = [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)];
}

/** An update that leaves allocated values out keeps them (upstream: patchAllocatedValues). */
export function keepAllocated(service: Service, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (!spec || !before) return;
  if (needsClusterIp(before) && needsClusterIp(spec)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && before.clusterIPs && spec.clusterIP === before.clusterIP) {
      spec.clusterIPs = [...before.clusterIPs];
    }
    if (!spec.ipFamilies && before.ipFamilies) spec.ipFamilies = [...before.ipFamilies];
    if (!spec.ipFamilyPolicy && before.ipFamilyPolicy) spec.ipFamilyPolicy = before.ipFamilyPolicy;
  }
  if (needsNodePort(before) && needsNodePort(spec)) {
    const used = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const match = before.ports?.find(
        (p) => p.port === port.port && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"),
      );
      if (match?.nodePort && !used.has(match.nodePort)) port.nodePort = match.nodePort;
    }
  }
  if (needsHealthCheckPort(before) && needsHealthCheckPort(spec) && !spec.healthCheckNodePort) {
    if (before.healthCheckNodePort) spec.healthCheckNodePort = before.healthCheckNodePort;
  }
}

/** A changed type drops what only the old type had, unless the client changed it too (upstream: dropTypeDependentFields). */
export function dropTypeDependentFields(service: Service, old: Service): void {
  const { spec } = service;
  const before = old.spec;
  if (!spec || !before) return;
  if (needsClusterIp(before) && !needsClusterIp(spec) && same(spec.clusterIPs, before.clusterIPs)) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
    delete spec.ipFamilies;
    delete spec.ipFamilyPolicy;
  }
  const portsOf = ({ ports }: ServiceSpec) => (ports ?? []).map(({ nodePort }) => nodePort ?? 0);
  if (needsNodePort(before) && !needsNodePort(spec) && same(portsOf(spec), portsOf(before))) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheckPort(before) && !needsHealthCheckPort(spec)) {
    if (spec.healthCheckNodePort === before.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (spec.allocateLoadBalancerNodePorts === before.allocateLoadBalancerNodePorts) {
      delete spec.allocateLoadBalancerNodePorts;
    }
    if (spec.loadBalancerClass === before.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (!isExternallyAccessible(spec) && spec.externalTrafficPolicy === before.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy;
  }
  if (spec.type === "ExternalName" && spec.internalTrafficPolicy === before.internalTrafficPolicy) {
    delete spec.internalTrafficPolicy;
  }
}
