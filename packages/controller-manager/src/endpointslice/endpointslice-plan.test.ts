// Slices and Endpoints from pods.

import type { Pod } from "@picokube/api/core/v1";
import { services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { controllerRef } from "@picokube/api/owner";
import { node, object, pod, service } from "@picokube/testing/builders";
import { test } from "tap";
import { planEndpoints } from "../endpoints/endpoints-plan.js";
import { planEndpointSlices } from "./endpointslice-plan.js";

function backend(name: string, podIP: string, { ready = true, terminating = false } = {}): Pod {
  return pod(name, {
    metadata: { labels: { app: "web" }, ...(terminating ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}) },
    spec: { nodeName: "n1", containers: [{ name: "main", ports: [{ name: "http", containerPort: 8080 }] }] },
    status: { phase: "Running", podIP, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
}

const web = service("web", {
  spec: { ...service("web").spec, ports: [{ name: "w", port: 80, targetPort: "http", protocol: "TCP" }] },
});
const owner = controllerRef(web, services);
const planned = (pods: Pod[], { existing = [] as EndpointSlice[], maxEndpoints = 100, of = web } = {}) =>
  planEndpointSlices({
    service: of,
    pods,
    nodes: (name) => (name === "n1" ? node("n1") : undefined),
    existing,
    owner,
    maxEndpoints,
  });
const plan = (pods: Pod[], existing: EndpointSlice[] = [], maxEndpoints = 100) =>
  planned(pods, { existing, maxEndpoints }).byAddressType[0]!;
const stored = (slices: readonly object[]) => slices.map((slice, i) => object(endpointslices, `web-${i}`, slice));

test("one slice with conditions; a named port is the container's", async (t) => {
  const { create } = plan([
    backend("a", "10.0.0.1"),
    backend("b", "10.0.0.2", { ready: false }),
    backend("c", "10.0.0.3", { terminating: true }),
  ]);
  t.match(create, [
    {
      metadata: {
        generateName: "web-",
        labels: {
          "kubernetes.io/service-name": "web",
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
        ownerReferences: [{ kind: "Service", name: "web", controller: true }],
      },
      addressType: "IPv4",
      ports: [{ name: "w", port: 8080, protocol: "TCP" }],
      endpoints: [
        { addresses: ["10.0.0.1"], conditions: { ready: true, serving: true, terminating: false } },
        { addresses: ["10.0.0.2"], conditions: { ready: false, serving: false, terminating: false } },
        { addresses: ["10.0.0.3"], conditions: { ready: false, serving: true, terminating: true } },
      ],
    },
  ]);
});

test("a change of one pod changes one slice; full slices overflow into new ones", async (t) => {
  const pods = ["1", "2", "3"].map((n) => backend(n, `10.0.0.${n}`));
  const created = plan(pods, [], 2).create;
  t.strictSame(
    created.map(({ endpoints }) => endpoints?.length),
    [2, 1],
  );
  const existing = stored(created);
  t.match(plan(pods, existing, 2), { create: [], update: [], delete: [], unchanged: existing });
  const fewer = plan(pods.slice(1), existing, 2);
  t.strictSame([fewer.create.length, fewer.update.length, fewer.delete.length], [0, 1, 0]);
});

test("no pods still leave one slice that says so, and it is written once", async (t) => {
  const { create } = plan([]);
  t.match(create, [{ endpoints: [], ports: [] }]);
  t.match(plan([], stored(create)), { create: [], update: [], delete: [], unchanged: [{}] });
  const emptied = plan([], stored(plan([backend("a", "10.0.0.1")]).create));
  t.match(emptied, { create: [], update: [{ metadata: { name: "web-0" }, endpoints: [], ports: [] }], delete: [] });
});

test("other ports, the same slice: what would be deleted becomes what would be made", async (t) => {
  const existing = stored(plan([backend("a", "10.0.0.1")]).create);
  const of = { ...web, spec: { ...web.spec, ports: [{ name: "w", port: 80, targetPort: 9090, protocol: "TCP" }] } };
  const [changed] = planned([backend("a", "10.0.0.1")], { existing, of: of as typeof web }).byAddressType;
  t.match(changed, { create: [], update: [{ metadata: { name: "web-0" }, ports: [{ port: 9090 }] }], delete: [] });
});

test("slices of an earlier Service of the same name are not touched but deleted; those that go already are nobody's", async (t) => {
  const created = plan([backend("a", "10.0.0.1")]).create;
  const [earlier] = stored(
    created.map((slice) => ({ ...slice, metadata: { ...slice.metadata, ownerReferences: [] } })),
  );
  t.match(plan([backend("a", "10.0.0.1")], [earlier!]), { create: [{}], update: [], delete: [earlier] });
  const [going] = stored(created);
  going!.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  t.match(plan([backend("a", "10.0.0.1")], [going!]), { create: [{}], update: [], delete: [] });
});

test("a pod on a node that nobody knows is left out, unless addresses of pods that are not ready are wanted", async (t) => {
  const lost = { ...backend("a", "10.0.0.1"), spec: { ...backend("a", "10.0.0.1").spec!, nodeName: "gone" } };
  const pods = [lost, backend("b", "10.0.0.2")];
  const { byAddressType, skipped } = planned(pods);
  t.match(byAddressType[0]!.create, [{ endpoints: [{ addresses: ["10.0.0.2"] }] }]);
  t.equal(byAddressType[0]!.create[0]!.endpoints!.length, 1);
  t.strictSame(skipped, [lost]);
  const of = { ...web, spec: { ...web.spec, publishNotReadyAddresses: true } };
  const all = planned(pods, { of: of as typeof web });
  t.strictSame(all.skipped, []);
  t.equal(all.byAddressType[0]!.create[0]!.endpoints!.length, 2);
});

test("Endpoints: ready and not ready apart, terminating ones out", async (t) => {
  const { subsets } = planEndpoints(web, [
    backend("a", "10.0.0.2"),
    backend("b", "10.0.0.1"),
    backend("c", "10.0.0.3", { ready: false }),
    backend("d", "10.0.0.4", { terminating: true }),
  ]);
  t.match(subsets, [
    {
      addresses: [{ ip: "10.0.0.1" }, { ip: "10.0.0.2", nodeName: "n1", targetRef: { name: "a" } }],
      notReadyAddresses: [{ ip: "10.0.0.3" }],
      ports: [{ name: "w", port: 8080, protocol: "TCP" }],
    },
  ]);
  t.equal(subsets.length, 1);
});

test("Endpoints take 1,000 addresses: ready ones first, of each subset its share", async (t) => {
  const many = (count: number, { ready, port }: { ready: boolean; port: number }) =>
    Array.from({ length: count }, (_, i) => {
      const one = backend(`${port}-${ready}-${i}`, `10.${ready ? 1 : 2}.${port % 256}.${i}`, { ready });
      return {
        ...one,
        spec: { ...one.spec!, containers: [{ name: "main", ports: [{ name: "http", containerPort: port }] }] },
      };
    }) as Pod[];
  const counts = (pods: Pod[]) => {
    const { subsets, truncated } = planEndpoints(web, pods);
    return [
      truncated,
      ...subsets.map((subset) => [subset.addresses?.length ?? 0, subset.notReadyAddresses?.length ?? 0]),
    ];
  };
  const cases = [
    { ready: [600, 400], notReady: [0, 0], expected: [false, [600, 0], [400, 0]] },
    { ready: [600, 300], notReady: [100, 50], expected: [true, [600, 67], [300, 33]] },
    { ready: [900, 300], notReady: [10, 10], expected: [true, [750, 0], [250, 0]] },
  ];
  for (const { ready, notReady, expected } of cases) {
    const pods = [8080, 8081].flatMap((port, i) => [
      ...many(notReady[i]!, { ready: false, port }),
      ...many(ready[i]!, { ready: true, port }),
    ]);
    t.strictSame(counts(pods), expected);
  }
});
