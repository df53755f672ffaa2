import { type Node, nodes as nodeResource, type Service, services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { parseAddressPool } from "./address-pool.js";
import { changesOf, planLoadBalancer, portsOf, portsOfCluster, type Surroundings } from "./service-lb-plan.js";

type Spec = NonNullable<Service["spec"]>;

const lb = (spec: Partial<Spec> = {}, ips: string[] = [], name = "web"): Service =>
  object(services, name, {
    spec: { type: "LoadBalancer", ipFamilies: ["IPv4"], ports: [{ port: 80, protocol: "TCP" }], ...spec } as Spec,
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });

const node = (name: string, addresses: [type: string, address: string][], rest: Partial<Node> = {}): Node =>
  object(nodeResource, name, {
    status: {
      conditions: [{ type: "Ready", status: "True" }],
      addresses: addresses.map(([type, address]) => ({ type, address })),
    },
    ...rest,
  } as Partial<Node>);

const one = node("one", [
  ["InternalIP", "10.0.0.1"],
  ["InternalIP", "fd00::1"],
  ["Hostname", "one"],
]);
const two = node("two", [["InternalIP", "10.0.0.2"]]);
const outside = node("outside", [
  ["InternalIP", "10.0.0.3"],
  ["ExternalIP", "203.0.113.3"],
]);
const excluded = node("excluded", [["InternalIP", "10.0.0.4"]], {
  metadata: { labels: { "node.kubernetes.io/exclude-from-external-load-balancers": "" } } as never,
});
const leaving = node("leaving", [["InternalIP", "10.0.0.5"]], {
  spec: { taints: [{ key: "ToBeDeletedByClusterAutoscaler", effect: "NoSchedule" }] },
});
const ill = node("ill", [], {
  status: {
    conditions: [{ type: "Ready", status: "Unknown" }],
    addresses: [{ type: "InternalIP", address: "10.0.0.6" }],
  } as never,
});
const unknown = node("unknown", [], { status: { addresses: [{ type: "InternalIP", address: "10.0.0.7" }] } as never });
const everyNode = [two, one, excluded, leaving, ill, unknown];

const slice = (endpoints: EndpointSlice["endpoints"]): EndpointSlice =>
  object(endpointslices, "s", { addressType: "IPv4", endpoints } as Partial<EndpointSlice>);
const other = lb({}, ["10.0.0.1"], "other");
const pool = parseAddressPool(["192.0.2.1-192.0.2.2", "2001:db8::1"]);

const rows: [why: string, service: Service, surroundings: Partial<Surroundings>, ips: string[], problem?: string][] = [
  ["internal addresses of ready nodes", lb(), {}, ["10.0.0.1", "10.0.0.2"]],
  ["no node at all", lb(), { nodes: [] }, []],
  ["external addresses, where there are any", lb(), { nodes: [one, outside] }, ["203.0.113.3"]],
  [
    "both families, in the Service's order",
    lb({ ipFamilies: ["IPv6", "IPv4"] }),
    {},
    ["fd00::1", "10.0.0.1", "10.0.0.2"],
  ],
  [
    "local traffic: nodes with a ready endpoint",
    lb({ externalTrafficPolicy: "Local" }),
    {
      slices: [
        slice([
          { addresses: ["10.244.0.1"], nodeName: "two", conditions: { ready: true } },
          { addresses: ["10.244.0.2"], nodeName: "one", conditions: { ready: false } },
        ]),
      ],
    },
    ["10.0.0.2"],
  ],
  ["local traffic and no endpoint", lb({ externalTrafficPolicy: "Local" }), {}, []],
  ["the address that was asked for", lb({ loadBalancerIP: "10.0.0.2" }), {}, ["10.0.0.2"]],
  [
    "an address that no node has",
    lb({ loadBalancerIP: "10.0.0.9" }),
    {},
    [],
    "requested address 10.0.0.9 is of no node that could take it",
  ],
  [
    "another Service's port",
    lb(),
    { taken: portsOf(other, ["10.0.0.1"]) },
    [],
    "port 80/TCP of 10.0.0.1 is taken by Service default/other",
  ],
  [
    "another's port of another protocol",
    lb({ ports: [{ port: 80, protocol: "UDP" }] }),
    { taken: portsOf(other, ["10.0.0.1"]) },
    ["10.0.0.1", "10.0.0.2"],
  ],
  [
    "another's port on another address",
    lb({ loadBalancerIP: "10.0.0.2" }),
    { taken: portsOf(other, ["10.0.0.1"]) },
    ["10.0.0.2"],
  ],
  ["a pool's first address", lb(), { pool }, ["192.0.2.1"]],
  ["a pool's next address", lb(), { pool, taken: portsOf(other, ["192.0.2.1"]) }, ["192.0.2.2"]],
  ["the address it has already", lb({}, ["192.0.2.2"]), { pool }, ["192.0.2.2"]],
  ["the address it has is no more of the pool", lb({}, ["192.0.2.7"]), { pool }, ["192.0.2.1"]],
  ["one address of each family", lb({ ipFamilies: ["IPv4", "IPv6"] }), { pool }, ["192.0.2.1", "2001:db8::1"]],
  [
    "a pool without a free address",
    lb(),
    { pool, taken: portsOf(other, ["192.0.2.1", "192.0.2.2"]) },
    [],
    "no IPv4 address of the pool is free",
  ],
  ["an address of the pool by request", lb({ loadBalancerIP: "192.0.2.2" }), { pool }, ["192.0.2.2"]],
  [
    "one that is not of the pool",
    lb({ loadBalancerIP: "10.0.0.1" }),
    { pool },
    [],
    "requested address 10.0.0.1 is not in the pool",
  ],
  [
    "one of the wrong family",
    lb({ loadBalancerIP: "2001:db8::1" }),
    { pool },
    [],
    "requested address 2001:db8::1 is not of the Service's family",
  ],
  [
    "one that another has",
    lb({ loadBalancerIP: "192.0.2.1" }),
    { pool, taken: portsOf(other, ["192.0.2.1"]) },
    [],
    "requested address 192.0.2.1 is taken by Service default/other",
  ],
  ["a pool and no node that could answer", lb(), { pool, nodes: [ill] }, []],
];

test("F1 which addresses a load balancer has", (t) => {
  for (const [why, service, surroundings, ips, problem] of rows) {
    const plan = planLoadBalancer(service, {
      nodes: everyNode,
      slices: [],
      taken: [],
      pool: undefined,
      ...surroundings,
    });
    t.strictSame(plan, problem === undefined ? { ips } : { ips: [], problem }, why);
  }
  t.end();
});

test("F1 the cluster's own ports are nobody's to take", (t) => {
  const host = node("one", [], {
    status: {
      addresses: [{ type: "InternalIP", address: "10.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
      conditions: [{ type: "Ready", status: "True" }],
    } as never,
  });
  const api = {
    ...slice([{ addresses: ["10.0.0.1"] }]),
    ports: [{ name: "https", port: 6443, protocol: "TCP" as const }],
  };
  const taken = portsOfCluster([host], [api]);
  const ask = (port: number) =>
    planLoadBalancer(lb({ ports: [{ port }] }), { nodes: [host], slices: [], taken, pool: undefined }).problem;
  t.equal(ask(6443), "port 6443/TCP of 10.0.0.1 is taken by the apiserver");
  t.equal(ask(10250), "port 10250/TCP of 10.0.0.1 is taken by the kubelet of one");
  t.equal(ask(443), undefined);
  t.end();
});

test("F1 changes that are told", (t) => {
  const table: [string, Service, Service, string[]][] = [
    ["the type", lb({ type: "ClusterIP" }), lb(), ["Type ClusterIP -> LoadBalancer"]],
    ["and back", lb(), lb({ type: "NodePort" }), ["Type LoadBalancer -> NodePort"]],
    [
      "ranges",
      lb(),
      lb({ loadBalancerSourceRanges: ["10.0.0.0/8", "192.0.2.0/24"] }),
      ["LoadBalancerSourceRanges [] -> [10.0.0.0/8 192.0.2.0/24]"],
    ],
    [
      "policy",
      lb({ externalTrafficPolicy: "Cluster" }),
      lb({ externalTrafficPolicy: "Local" }),
      ["ExternalTrafficPolicy Cluster -> Local"],
    ],
    [
      "another's class",
      lb({ loadBalancerClass: "x/y" }),
      lb({ loadBalancerClass: "x/y", loadBalancerIP: "1.1.1.1" }),
      [],
    ],
    ["nothing", lb(), lb({}, ["10.0.0.1"]), []],
  ];
  for (const [why, before, after, expected] of table)
    t.strictSame(
      changesOf(before, after).map(({ reason, message }) => `${reason} ${message}`),
      expected,
      why,
    );
  t.end();
});
