// Every shape of Service that has rules of its own, with the endpoints it meets: what the golden files are made of, and
// what the kernel must take.

import type { Service } from "@picokube/api/core/v1";
import type { EndpointSlice } from "@picokube/api/discovery/v1";
import { familyOf } from "./ip-family.js";
import { localByRange } from "./local-traffic.js";
import { emptyRuleSet, invalidDropped, localhostNodePortsAccepted, type RuleSettings } from "./rule-set.js";
import { createRuleTable, type Write } from "./rule-table.js";
import { type Protocol, servicePorts } from "./service-ports.js";
import { serviceRules } from "./service-rules.js";

export const settings: RuleSettings = {
  prefix: "KUBE",
  family: "IPv4",
  localTraffic: localByRange("10.244.0.0/16"),
  masqueradeAll: false,
  masqueradeBit: 14,
  nodePortIps: "all",
  localhostNodePorts: true,
  nodeIp: "192.0.2.1",
  dropInvalid: true,
  packetCounters: new Set(),
  isLargeCluster: false,
};

export const ipv6Settings: RuleSettings = {
  ...settings,
  family: "IPv6",
  localTraffic: localByRange("fd00:10:244::/56"),
  nodeIp: "2001:db8::1",
};

type ServiceSpec = NonNullable<Service["spec"]>;

/** A Service default/web on port 80; a status may follow. */
export function service(spec: Partial<ServiceSpec>, status?: Service["status"]): Service {
  return {
    metadata: { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
    spec: { clusterIP: "10.96.0.20", ports: [{ port: 80, protocol: "TCP" }], type: "ClusterIP", ...spec },
    ...(status ? { status } : {}),
  };
}

export interface EndpointFacts {
  readonly ip: string;
  readonly node?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
  readonly zones?: readonly string[];
}

/** A slice of default/web with port 8080, of the family of its first address. */
export function slice(...endpoints: readonly EndpointFacts[]): EndpointSlice {
  return sliceOf({ port: 8080, protocol: "TCP", name: "" }, ...endpoints);
}

export function sliceOf(
  port: { port: number; protocol: Protocol; name: string },
  ...endpoints: readonly EndpointFacts[]
): EndpointSlice {
  return {
    metadata: { name: "web-x", namespace: "default", uid: "s", resourceVersion: "1", creationTimestamp: "" },
    addressType: familyOf(endpoints[0]?.ip ?? "0.0.0.0"),
    ports: [port],
    endpoints: endpoints.map(({ ip, node = "node-1", ready = true, terminating = false, zones }) => ({
      addresses: [ip],
      nodeName: node,
      conditions: { ready, serving: ready || terminating, terminating },
      ...(zones ? { hints: { forZones: zones.map((name) => ({ name })) } } : {}),
    })),
  };
}

export interface Shape {
  readonly service: Service;
  readonly slices: readonly EndpointSlice[];
  readonly settings?: RuleSettings;
  readonly zone?: string;
}

const here = { ip: "10.244.0.5" };
const there = { ip: "10.244.1.6", node: "node-2" };
const both = [slice(here, there)];
const balancer = { loadBalancer: { ingress: [{ ip: "198.51.100.9" }] } };
const nodePort: Partial<ServiceSpec> = { type: "NodePort", ports: [{ port: 80, protocol: "TCP", nodePort: 30_080 }] };
const loadBalancer: Partial<ServiceSpec> = { ...nodePort, type: "LoadBalancer" };
const dualStack = { clusterIP: "10.96.0.20", clusterIPs: ["10.96.0.20", "fd00:10:96::20"] };

/** Name of the golden file → what is in it. */
export const shapes: Readonly<Record<string, Shape>> = {
  "cluster-ip": { service: service({}), slices: both },
  "no-endpoints": { service: service({ ...nodePort, externalIPs: ["203.0.113.7"] }), slices: [] },
  "named-ports": {
    service: service({
      ports: [
        { name: "http", port: 80, protocol: "TCP" },
        { name: "dns", port: 53, protocol: "UDP" },
        { name: "signal", port: 2905, protocol: "SCTP" },
      ],
    }),
    slices: [
      sliceOf({ name: "http", port: 8080, protocol: "TCP" }, here),
      sliceOf({ name: "dns", port: 1053, protocol: "UDP" }, here),
      sliceOf({ name: "signal", port: 2905, protocol: "SCTP" }, here),
    ],
  },
  "session-affinity": {
    service: service({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 600 } } }),
    slices: both,
  },
  "node-port": { service: service(nodePort), slices: both },
  "node-port-local": { service: service({ ...nodePort, externalTrafficPolicy: "Local" }), slices: both },
  "node-port-local-elsewhere": {
    service: service({ ...nodePort, externalTrafficPolicy: "Local" }),
    slices: [slice(there)],
  },
  "internal-local": { service: service({ internalTrafficPolicy: "Local" }), slices: both },
  "internal-local-elsewhere": { service: service({ internalTrafficPolicy: "Local" }), slices: [slice(there)] },
  "external-ips": { service: service({ externalIPs: ["203.0.113.7", "2001:db8::7"] }), slices: both },
  "load-balancer": { service: service(loadBalancer, balancer), slices: both },
  "load-balancer-proxy-mode": {
    service: service(loadBalancer, { loadBalancer: { ingress: [{ ip: "198.51.100.9", ipMode: "Proxy" }] } }),
    slices: both,
  },
  "load-balancer-source-ranges": {
    service: service({ ...loadBalancer, loadBalancerSourceRanges: [" 203.0.113.0/24", "192.0.2.0/28"] }, balancer),
    slices: both,
  },
  "load-balancer-local": {
    service: service({ ...loadBalancer, externalTrafficPolicy: "Local", healthCheckNodePort: 31_000 }, balancer),
    slices: both,
  },
  "serving-terminating": {
    service: service({ ...nodePort, externalTrafficPolicy: "Local" }),
    slices: [slice({ ...here, ready: false, terminating: true }, there)],
  },
  "topology-hints": {
    service: service({ trafficDistribution: "PreferClose" }),
    slices: [slice({ ...here, zones: ["a"] }, { ...there, zones: ["b"] })],
    zone: "b",
  },
  "masquerade-all": {
    service: service({}),
    slices: both,
    settings: { ...settings, masqueradeAll: true, masqueradeBit: 3, dropInvalid: false },
  },
  "interface-prefix-node-port-addresses": {
    service: service({ ...nodePort, externalTrafficPolicy: "Local" }),
    slices: both,
    settings: {
      ...settings,
      localTraffic: { ifLocal: "-i cali+", ifNotLocal: "! -i cali+" },
      nodePortIps: ["127.0.0.1", "192.0.2.1"],
      localhostNodePorts: false,
    },
  },
  "no-localhost-node-ports": {
    service: service(nodePort),
    slices: [slice(here)],
    settings: { ...settings, localTraffic: undefined, localhostNodePorts: false },
  },
  "large-cluster": { service: service({}), slices: both, settings: { ...settings, isLargeCluster: true } },
  "dual-stack-ipv4": { service: service(dualStack), slices: [...both, slice({ ip: "fd00:10:244::5" })] },
  "dual-stack-ipv6": {
    service: service({ ...dualStack, ...nodePort, externalIPs: ["203.0.113.7", "2001:db8::7"] }),
    slices: [...both, slice({ ip: "fd00:10:244::5" })],
    settings: ipv6Settings,
  },
  "packet-counters": {
    service: service(nodePort),
    slices: [slice(here)],
    settings: { ...settings, packetCounters: new Set([invalidDropped, localhostNodePortsAccepted]) },
  },
  headless: { service: service({ clusterIP: "None" }), slices: both },
  "external-name": {
    service: service({ type: "ExternalName", clusterIP: "", externalName: "example.org" }),
    slices: [],
  },
};

/** The rules of some Services, made by the settings of the first, and those that are always there. */
export function writeOf(...together: readonly Shape[]): Write {
  const by = together[0]!.settings ?? settings;
  const table = createRuleTable({ prefix: by.prefix, settings: () => by });
  for (const { service: of, slices, zone = "" } of together) {
    const rules = emptyRuleSet();
    const from = { family: by.family, nodeName: "node-1", zone };
    for (const port of servicePorts(of, slices, from)) serviceRules(port, by, rules);
    table.set(`${of.metadata.namespace}/${of.metadata.name}`, rules);
  }
  return table.everything({ nat: [], filter: [] });
}
