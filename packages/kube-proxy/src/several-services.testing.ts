// Six Services beside each other, with the names, addresses and ports of upstream's TestOverallIPTablesRules: whoever wants
// to can lay the golden file beside what is expected there.

import type { Service } from "@picokube/api/core/v1";
import { localByRange } from "./local-traffic.js";
import { invalidDropped, localhostNodePortsAccepted, type RuleSettings } from "./rule-set.js";
import { type EndpointFacts, type Shape, service, settings, sliceOf } from "./shapes.testing.js";

const overall: RuleSettings = {
  ...settings,
  localTraffic: localByRange("10.0.0.0/8"),
  packetCounters: new Set([invalidDropped, localhostNodePortsAccepted]),
};

interface Facts {
  readonly clusterIp: string;
  readonly nodePort?: number;
  readonly balancerIp?: string;
  readonly endpoints: readonly EndpointFacts[];
}

function shape(number: number, spec: Partial<Service["spec"]>, facts: Facts): Shape {
  const { clusterIp, nodePort, balancerIp, endpoints } = facts;
  const made = service(
    {
      clusterIP: clusterIp,
      ports: [{ name: "p80", port: 80, protocol: "TCP", ...(nodePort ? { nodePort } : {}) }],
      ...spec,
    },
    balancerIp ? { loadBalancer: { ingress: [{ ip: balancerIp }] } } : undefined,
  );
  return {
    service: { ...made, metadata: { ...made.metadata, namespace: `ns${number}`, name: `svc${number}` } },
    slices: endpoints.length > 0 ? [sliceOf({ name: "p80", port: 80, protocol: "TCP" }, ...endpoints)] : [],
    settings: overall,
  };
}

const elsewhere = (ip: string): EndpointFacts => ({ ip, node: "node-2" });

export const severalServices: readonly Shape[] = [
  shape(1, {}, { clusterIp: "172.30.0.41", endpoints: [elsewhere("10.180.0.1")] }),
  shape(
    2,
    {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      externalIPs: ["192.168.99.22"],
      healthCheckNodePort: 30_000,
    },
    { clusterIp: "172.30.0.42", nodePort: 3001, balancerIp: "1.2.3.4", endpoints: [elsewhere("10.180.0.2")] },
  ),
  shape(3, { type: "NodePort" }, { clusterIp: "172.30.0.43", nodePort: 3003, endpoints: [elsewhere("10.180.0.3")] }),
  shape(
    4,
    { type: "NodePort", externalIPs: ["192.168.99.33"] },
    { clusterIp: "172.30.0.44", endpoints: [elsewhere("10.180.0.4"), { ip: "10.180.0.5" }] },
  ),
  shape(
    5,
    {
      type: "LoadBalancer",
      loadBalancerSourceRanges: [" 203.0.113.0/25"],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
    },
    { clusterIp: "172.30.0.45", nodePort: 3002, balancerIp: "5.6.7.8", endpoints: [elsewhere("10.180.0.3")] },
  ),
  shape(6, {}, { clusterIp: "172.30.0.46", endpoints: [] }),
];
