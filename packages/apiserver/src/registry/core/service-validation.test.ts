// Tests of Services' validation by table: the words that kubectl's users know.

import { setServiceDefaults } from "@picokube/api/core/service-defaults";
import type { Service } from "@picokube/api/core/v1";
import { test } from "tap";
import { validateService, validateServiceUpdate } from "./service-validation.js";

function service(spec: object, annotations?: object): Service {
  const result = { metadata: { name: "web", annotations }, spec: structuredClone(spec) } as unknown as Service;
  setServiceDefaults(result);
  return result;
}

const ports = [{ port: 80 }];
const words = (faults: readonly { field: string; message: string }[]) =>
  faults.map(({ field, message }) => `${field}: ${message}`);

const table: [string, object, string[]][] = [
  ["a plain one", { ports }, []],
  ["no ports", {}, ["spec.ports: Required value"]],
  ["no ports of a headless one", { clusterIP: "None", clusterIPs: ["None"] }, []],
  [
    "two ports without names, one twice",
    { ports: [{ port: 80 }, { name: "a", port: 80, appProtocol: "a b" }] },
    [
      "spec.ports[0].name: Required value",
      "spec.ports[1].appProtocol: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      'spec.ports[1]: Duplicate value: core.ServicePort{Name:"", Protocol:"TCP", AppProtocol:(*string)(nil), Port:80, TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}',
    ],
  ],
  [
    "a node port inside",
    { ports: [{ port: 80, nodePort: 30000 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    "an external name with addresses",
    { type: "ExternalName", clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ipFamilies: ["IPv4"] },
    [
      "spec.clusterIPs: Forbidden: may not be set for ExternalName services",
      "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
      "spec.externalName: Required value",
    ],
  ],
  [
    "a headless load balancer",
    { type: "LoadBalancer", ports, clusterIP: "None", clusterIPs: ["None"] },
    ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"],
  ],
  [
    "addresses that do not fit each other",
    { ports, clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.8", "10.96.0.9"], ipFamilies: ["IPv6", "IPv4"] },
    [
      'spec.clusterIPs: Invalid value: []string{"10.96.0.8", "10.96.0.9"}: first value must match `clusterIP`',
      'spec.clusterIPs: Invalid value: []string{"10.96.0.8", "10.96.0.9"}: may specify no more than one IP for each IP family',
      'spec.clusterIPs[0]: Invalid value: "10.96.0.8": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
  ],
  [
    "families and policies that are none",
    { ports, ipFamilies: ["IPv5", "IPv5"], ipFamilyPolicy: "Both" },
    [
      'spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
      'spec.ipFamilies[1]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"',
      'spec.ipFamilies[1]: Duplicate value: "IPv5"',
      'spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"',
    ],
  ],
  [
    "an affinity for too long",
    { ports, sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
    [
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400",
    ],
  ],
  [
    "addresses that nobody may take",
    { ports, externalIPs: ["127.0.0.1", "x"] },
    [
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
      'spec.externalIPs[1]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    "what only load balancers have",
    {
      ports,
      loadBalancerSourceRanges: [" 10.0.0.0/8 ", "x"],
      allocateLoadBalancerNodePorts: true,
      loadBalancerClass: "a",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 30001,
    },
    [
      "spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'spec.LoadBalancerSourceRanges[1]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    "a distribution of 1.34",
    { ports, trafficDistribution: "PreferSameNode" },
    ['spec.trafficDistribution: Unsupported value: "PreferSameNode": supported values: "PreferClose"'],
  ],
];

for (const [name, spec, expected] of table) {
  test(`validateService: ${name}`, (t) => {
    t.strictSame(words(validateService(service(spec))), expected);
    t.end();
  });
}

test("validateService: two annotations of topology that disagree", (t) => {
  const annotations = {
    "service.kubernetes.io/topology-mode": "Auto",
    "service.kubernetes.io/topology-aware-hints": "Disabled",
  };
  t.strictSame(words(validateService(service({ ports }, annotations))), [
    'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "Auto": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
  ]);
  t.end();
});

const addressed = (...clusterIPs: string[]) => ({ ports, clusterIP: clusterIPs[0], clusterIPs });

const updates: [string, { old: object; next: object }, string[]][] = [
  [
    "another address",
    { old: addressed("10.96.0.8"), next: addressed("10.96.0.9") },
    ['spec.clusterIPs[0]: Invalid value: []string{"10.96.0.9"}: may not change once set'],
  ],
  [
    "no address",
    { old: addressed("10.96.0.8"), next: { ports } },
    ["spec.clusterIPs[0]: Invalid value: []string(nil): primary clusterIP can not be unset"],
  ],
  ["from an external name", { old: { type: "ExternalName", externalName: "a.b" }, next: addressed("10.96.0.9") }, []],
  [
    "the second address given back without a word",
    { old: addressed("10.96.0.8", "fd00::8"), next: addressed("10.96.0.8") },
    [
      "spec.ipFamilyPolicy: Invalid value: \"null\": must be set to 'SingleStack' when releasing the secondary clusterIP",
    ],
  ],
  [
    "another family",
    {
      old: { ...addressed("10.96.0.8"), ipFamilies: ["IPv4"] },
      next: { ...addressed("10.96.0.8"), ipFamilies: ["IPv6"] },
    },
    [
      'spec.ipFamilies[0]: Invalid value: []core.IPFamily{"IPv6"}: may not change once set',
      'spec.clusterIPs[0]: Invalid value: "10.96.0.8": expected an IPv6 value as indicated by `ipFamilies[0]`',
    ],
  ],
  [
    "another class",
    {
      old: { ...addressed("10.96.0.8"), type: "LoadBalancer", loadBalancerClass: "a" },
      next: { ...addressed("10.96.0.8"), type: "LoadBalancer", loadBalancerClass: "b" },
    },
    ['spec.loadBalancerClass: Invalid value: "b": may not change once set'],
  ],
];

for (const [name, { old, next }, expected] of updates) {
  test(`validateServiceUpdate: ${name}`, (t) => {
    t.strictSame(words(validateServiceUpdate(service(next), service(old))), expected);
    t.end();
  });
}
