// Tests of the core group's defaults.

import { test } from "tap";
import {
  setLimitRangeDefaults,
  setNamespaceDefaults,
  setNodeDefaults,
  setReplicationControllerDefaults,
  setResourceQuotaDefaults,
} from "./defaults.js";
import { setServiceDefaults } from "./service-defaults.js";
import type { LimitRange, Namespace, Node, ReplicationController, ResourceQuota, Service } from "./v1.js";

test("a namespace carries its name as a label", (t) => {
  const namespace = { metadata: { name: "dev", labels: { a: "b" } } } as unknown as Namespace;
  setNamespaceDefaults(namespace);
  t.strictSame(namespace.metadata.labels, { a: "b", "kubernetes.io/metadata.name": "dev" });
  t.end();
});

test("a node's podCIDR and podCIDRs say the same", (t) => {
  for (const spec of [{ podCIDR: "10.0.0.0/24" }, { podCIDRs: ["10.0.0.0/24"] }]) {
    const node = { metadata: {}, spec } as unknown as Node;
    setNodeDefaults(node);
    t.strictSame({ ...node.spec }, { podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/24"] });
  }
  t.end();
});

test("a ReplicationController takes selector and labels from its template", (t) => {
  const labels = { app: "web" };
  const controller = { metadata: {}, spec: { template: { metadata: { labels } } } } as unknown as ReplicationController;
  setReplicationControllerDefaults(controller);
  t.strictSame(controller.spec?.selector, labels);
  t.strictSame(controller.metadata.labels, labels);
  t.equal(controller.spec?.replicas, 1);
  t.end();
});

test("a LimitRange's defaults come from its maxima and minima", (t) => {
  const range = {
    spec: { limits: [{ type: "Container", max: { cpu: "1" }, min: { memory: "1Mi" } }] },
  } as unknown as LimitRange;
  setLimitRangeDefaults(range);
  t.match(range.spec?.limits[0], { default: { cpu: "1" }, defaultRequest: { cpu: "1", memory: "1Mi" } });
  t.end();
});

const services: [string, object, object][] = [
  [
    "a ClusterIP",
    { ports: [{ port: 80 }] },
    {
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      type: "ClusterIP",
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
    },
  ],
  [
    "a LoadBalancer with affinity",
    { type: "LoadBalancer", sessionAffinity: "ClientIP" },
    {
      type: "LoadBalancer",
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
      externalTrafficPolicy: "Cluster",
      internalTrafficPolicy: "Cluster",
      allocateLoadBalancerNodePorts: true,
    },
  ],
  [
    "an ExternalName",
    { type: "ExternalName", externalName: "a.b" },
    { type: "ExternalName", externalName: "a.b", sessionAffinity: "None" },
  ],
];

for (const [name, spec, expected] of services) {
  test(`Service defaults: ${name}`, (t) => {
    const service = { metadata: {}, spec: structuredClone(spec) } as unknown as Service;
    setServiceDefaults(service);
    t.strictSame(service.spec, expected);
    t.end();
  });
}

test("amounts are canonical and never finer than a thousandth", (t) => {
  const quota = {
    metadata: {},
    spec: { hard: { cpu: "0.5", memory: "1024Ki", "requests.cpu": "100u", pods: "many" } },
  };
  setResourceQuotaDefaults(quota as unknown as ResourceQuota);
  t.strictSame(quota.spec.hard, { cpu: "500m", memory: "1Mi", "requests.cpu": "1m", pods: "many" });
  t.end();
});
