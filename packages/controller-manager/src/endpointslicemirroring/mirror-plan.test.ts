// Slices from Endpoints that somebody keeps by hand, by table.

import { type Endpoints, endpoints } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { isMirrored, planMirror } from "./mirror-plan.js";

const web = (subsets: Endpoints["subsets"], metadata: Partial<Endpoints["metadata"]> = {}) =>
  object(endpoints, "web", { metadata, subsets } as object);
const plan = (source: Endpoints, existing: EndpointSlice[] = [], maxPerSubset = 1000) =>
  planMirror({ endpoints: source, existing, maxPerSubset });
const stored = (source: Endpoints) =>
  plan(source).create.map((slice, i) => {
    const { generateName: _, ...metadata } = slice.metadata;
    return object(endpointslices, `web-${i}`, { ...slice, metadata } as object);
  });
const http = [{ name: "http", port: 80, protocol: "TCP" as const }];

test("a subset becomes a slice per address family that says all the Endpoints say, and who made it", async (t) => {
  const targetRef = { kind: "Pod", namespace: "default", name: "a", uid: "1" };
  const { create } = plan(
    web(
      [
        {
          addresses: [{ ip: "192.0.2.1", hostname: "a", nodeName: "n1", targetRef }, { ip: "2001:DB8:0::1" }],
          notReadyAddresses: [{ ip: "192.0.2.002" }],
          ports: [{ port: 80, protocol: "TCP", appProtocol: "http" }],
        },
      ],
      {
        labels: { app: "web", "kubernetes.io/service-name": "other" },
        annotations: {
          kept: "yes",
          "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z",
          "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
      },
    ),
  );
  const ports = [{ name: "", port: 80, protocol: "TCP", appProtocol: "http" }];
  t.strictSame(
    create.map((slice) => ({ ...slice, metadata: undefined })),
    [
      {
        addressType: "IPv4",
        endpoints: [
          { addresses: ["192.0.2.1"], conditions: { ready: true }, hostname: "a", nodeName: "n1", targetRef },
          { addresses: ["192.0.2.2"], conditions: { ready: false } },
        ],
      },
      { addressType: "IPv6", endpoints: [{ addresses: ["2001:db8::1"], conditions: { ready: true } }] },
    ].map((slice) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: undefined,
      ports,
      ...slice,
    })),
  );
  t.strictSame(create[0]!.metadata, {
    generateName: "web-",
    namespace: "default",
    labels: {
      app: "web",
      "kubernetes.io/service-name": "web",
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    },
    annotations: { kept: "yes" },
    ownerReferences: [
      {
        apiVersion: "v1",
        kind: "Endpoints",
        name: "web",
        uid: "uid-endpoints-web",
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
});

test("what is said already is not said again; any difference is one update", async (t) => {
  const before = web([{ addresses: [{ ip: "192.0.2.1" }, { ip: "192.0.2.2" }], ports: http }]);
  const existing = stored(before);
  t.match(plan(before, existing), { create: [], update: [], delete: [] });
  const rows: [string, Endpoints, object][] = [
    [
      "an address more",
      web([{ addresses: ["1", "2", "3"].map((n) => ({ ip: `192.0.2.${n}` })), ports: http }]),
      { added: 1, updated: 0, removed: 0 },
    ],
    ["an address less", web([{ addresses: [{ ip: "192.0.2.1" }], ports: http }]), { added: 0, updated: 0, removed: 1 }],
    [
      "no longer ready",
      web([{ addresses: [{ ip: "192.0.2.1" }], notReadyAddresses: [{ ip: "192.0.2.2" }], ports: http }]),
      { added: 0, updated: 1, removed: 0 },
    ],
    [
      "a label",
      { ...before, metadata: { ...before.metadata, labels: { a: "b" } } },
      { added: 0, updated: 0, removed: 0 },
    ],
    [
      "an annotation",
      { ...before, metadata: { ...before.metadata, annotations: { a: "b" } } },
      { added: 0, updated: 0, removed: 0 },
    ],
  ];
  for (const [name, source, changes] of rows) {
    const { create, update, delete: surplus, changes: made } = plan(source, existing);
    t.strictSame([create.length, update.map(({ metadata }) => metadata.name), surplus.length], [0, ["web-0"], 0], name);
    t.strictSame(made, changes, name);
    t.equal(update[0]!.metadata.resourceVersion, "1", `${name}: a slice that changed meanwhile is not overwritten`);
  }
});

test("a slice that would go becomes the one that would come; what is left over goes", async (t) => {
  const existing = stored(web([{ addresses: [{ ip: "192.0.2.1" }], ports: http }]));
  const moved = plan(web([{ addresses: [{ ip: "192.0.2.1" }], ports: [{ port: 81 }] }]), existing);
  t.match(moved.update, [{ metadata: { name: "web-0" }, ports: [{ name: "", port: 81, protocol: "TCP" }] }]);
  t.strictSame([moved.create, moved.delete], [[], []]);

  const toIPv6 = plan(web([{ addresses: [{ ip: "2001:db8::1" }], ports: http }]), existing);
  t.match(toIPv6.create, [{ addressType: "IPv6" }], "the family of a slice never changes");
  t.match(toIPv6.delete, [{ metadata: { name: "web-0" } }]);

  t.match(plan(web([]), existing), { create: [], update: [], delete: [{ metadata: { name: "web-0" } }] });
  const doubled = [...existing, object(endpointslices, "web-9", { ...existing[0], metadata: {} } as object)];
  t.match(plan(web([{ addresses: [{ ip: "192.0.2.1" }], ports: http }]), doubled), {
    update: [],
    delete: [{ metadata: { name: "web-9" } }],
  });
});

test("addresses above the limit and wrong ones are left out and counted", async (t) => {
  const addresses = ["192.0.2.1", "example", "192.0.2.2", "192.0.2.300"].map((ip) => ({ ip }));
  const source = web([{ addresses, notReadyAddresses: [{ ip: "192.0.2.3" }], ports: http }]);
  const { create, invalid, skipped, sizes } = plan(source, [], 2);
  t.strictSame(
    create[0]!.endpoints!.map((endpoint) => endpoint.addresses[0]),
    ["192.0.2.1", "192.0.2.2"],
  );
  t.strictSame([invalid, skipped], [1, 3], "what stands behind the limit is not looked at");
  t.strictSame(sizes, [
    { endpoints: 2, slices: 1 },
    { endpoints: 0, slices: 0 },
  ]);
});

test("subsets of the same ports share a slice, which holds no more than one subset may", async (t) => {
  const source = web([
    { addresses: [{ ip: "192.0.2.1" }], ports: http },
    { addresses: [{ ip: "192.0.2.2" }], ports: http },
  ]);
  t.match(plan(source).create, [{ endpoints: [{ addresses: ["192.0.2.1"] }, { addresses: ["192.0.2.2"] }] }]);
  const [first] = plan(source, [], 1).create;
  t.equal(first!.endpoints!.length, 1);
  const { generateName: _, ...metadata } = first!.metadata;
  const existing = [object(endpointslices, "web-0", { ...first, metadata } as object)];
  t.match(plan(source, existing, 1), { create: [], update: [], delete: [] }, "and is not written again and again");
});

test("a label and the mark of an old leader election keep Endpoints from being mirrored", async (t) => {
  const rows: [Partial<Endpoints["metadata"]>, boolean][] = [
    [{}, true],
    [{ labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } }, false],
    [{ labels: { "endpointslice.kubernetes.io/skip-mirror": "false" } }, true],
    [{ annotations: { "control-plane.alpha.kubernetes.io/leader": "" } }, false],
  ];
  for (const [metadata, expected] of rows) t.equal(isMirrored(web([], metadata)), expected, JSON.stringify(metadata));
});
