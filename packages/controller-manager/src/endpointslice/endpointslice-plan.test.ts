// Slices and Endpoints from pods.

import type { Pod } from "@picokube/api/core/v1";
import { services } from "@picokube/api/core/v1";
import { type EndpointSlice, endpointslices } from "@picokube/api/discovery/v1";
import { controllerRef } from "@picokube/api/owner";
import { object, pod, service } from "@picokube/testing/builders";
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
const plan = (pods: Pod[], existing: EndpointSlice[] = [], maxEndpoints = 100) =>
  planEndpointSlices({
    service: web,
    pods,
    nodes: () => undefined,
    existing,
    owner: controllerRef(web, services),
    maxEndpoints,
  });

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
  const existing = created.map((slice, i) => object(endpointslices, `web-${i}`, slice as object));
  t.strictSame(plan(pods, existing, 2), { create: [], update: [], delete: [] });
  const fewer = plan(pods.slice(1), existing, 2);
  t.strictSame([fewer.create.length, fewer.update.length, fewer.delete.length], [0, 1, 0]);
});

test("no pods still leave one slice that says so", async (t) => {
  t.match(plan([]).create, [{ endpoints: [], ports: [] }]);
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
