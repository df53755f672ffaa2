// Defaults of Services (upstream: SetDefaults_Service). Families and addresses are given by the apiserver's allocator.

import type { Service } from "./v1.js";

/** Fills type, session affinity, ports and traffic policies; in place, idempotent. */
export function setServiceDefaults(service: Service): void {
  service.spec ??= {};
  const { spec } = service;
  spec.type ||= "ClusterIP";
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } };
  }
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  const { type } = spec;
  const isExternal = type === "NodePort" || type === "LoadBalancer";
  const hasExternalIps = type === "ClusterIP" && (spec.externalIPs ?? []).length > 0;
  if (isExternal || hasExternalIps) spec.externalTrafficPolicy ||= "Cluster";
  if (isExternal || type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (type === "LoadBalancer") {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
  }
}
