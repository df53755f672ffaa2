// Slices and Endpoints of Services with zones, against a real apiserver: hints, trigger times, pods of unknown nodes.

import { endpoints, events, nodes, pods, type Service, serviceaccounts, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { endpointsController } from "../endpoints/endpoints-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { endpointSliceController } from "./endpointslice-controller.js";

const namespace = "default";
const triggerTime = "endpoints.kubernetes.io/last-change-trigger-time";
const transition = "2026-01-01T00:00:05Z";

async function makeNode(client: Client, name: string, zone: string): Promise<void> {
  const node = await client.create(nodes, {
    metadata: { name, labels: { "topology.kubernetes.io/zone": zone } },
  });
  await client.update(
    nodes,
    {
      ...node,
      status: { allocatable: { cpu: "4" }, conditions: [{ type: "Ready", status: "True" }] },
    },
    { subresource: "status" },
  );
}

async function makePod(
  client: Client,
  name: string,
  { nodeName, ip }: { nodeName: string; ip: string },
): Promise<void> {
  const pod = await client.create(pods, {
    metadata: { name, namespace, labels: { app: "web" } },
    spec: { nodeName, containers: [{ name: "main", image: "nginx" }] },
  });
  await client.update(
    pods,
    {
      ...pod,
      status: {
        phase: "Running",
        podIP: ip,
        podIPs: [{ ip }],
        conditions: [{ type: "Ready", status: "True", lastTransitionTime: transition }],
      },
    },
    { subresource: "status" },
  );
}

test("zones become hints, changes become trigger times, a pod of an unknown node waits for it", async (t) => {
  const { client } = await startApiServer(t);
  await client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  await makeNode(client, "n1", "a");
  await makeNode(client, "n2", "b");
  runControllers(t, { client, create: [endpointSliceController, endpointsController] });
  const made = await client.create(services, {
    metadata: { name: "web", namespace },
    spec: { selector: { app: "web" }, ports: [{ port: 80 }], trafficDistribution: "PreferClose" },
  });
  const slice = async () =>
    (await client.list(endpointslices, { namespace, labelSelector: "kubernetes.io/service-name=web" })).items[0];
  const hintsOf = async () =>
    Object.fromEntries(
      ((await slice())?.endpoints ?? []).map(({ addresses, hints }) => [
        addresses[0],
        (hints?.forZones ?? []).map(({ name }) => name).join(),
      ]),
    );
  const annotations = async () => [
    (await slice())?.metadata.annotations?.[triggerTime],
    (await client.list(endpoints, { namespace, fieldSelector: "metadata.name=web" })).items[0]?.metadata.annotations?.[
      triggerTime
    ],
  ];
  const created = made.metadata.creationTimestamp;
  await eventually("the empty slice", async () => (await slice()) !== undefined);
  await eventually("the Service's creation is told", async () =>
    (await annotations()).every((time) => time === created),
  );

  await makePod(client, "one", { nodeName: "n1", ip: "10.9.0.1" });
  await eventually("the pod's becoming ready is told", async () =>
    (await annotations()).every((time) => time === transition),
  );
  t.strictSame(await hintsOf(), { "10.9.0.1": "a" });
  await makePod(client, "lost", { nodeName: "n3", ip: "10.9.0.3" });
  await makePod(client, "two", { nodeName: "n2", ip: "10.9.0.2" });
  await eventually("both known nodes' pods", async () => Object.keys(await hintsOf()).length === 2);
  await makeNode(client, "n3", "b");
  await eventually("the third's too, once its node is known", async () => (await hintsOf())["10.9.0.3"] === "b");
  t.strictSame(await hintsOf(), { "10.9.0.1": "a", "10.9.0.2": "b", "10.9.0.3": "b" });

  const change = async (edit: (service: Service) => Service) =>
    client.update(services, edit(await client.get(services, { name: "web", namespace })));
  await change(({ spec: { trafficDistribution: _, ...spec } = {}, ...service }) => ({ ...service, spec }));
  await eventually("hints go", async () => Object.values(await hintsOf()).every((zones) => zones === ""));
  await change(({ metadata, ...service }) => ({
    ...service,
    metadata: { ...metadata, annotations: { "service.kubernetes.io/topology-mode": "Auto" } },
  }));
  await eventually("hints by shares of CPU", async () =>
    Object.values(await hintsOf()).every((zones) => zones === "a" || zones === "b"),
  );
  const told = async (reason: string, message: string) =>
    eventually(reason, async () =>
      (await client.list(events, { namespace })).items.some(
        (event) => event.reason === reason && event.message === message,
      ),
    );
  await told("TopologyAwareHintsEnabled", "Topology Aware Hints has been enabled, addressType: IPv4");
  await client.delete(nodes, { name: "n1" });
  await eventually("one zone is none", async () => Object.values(await hintsOf()).every((zones) => zones === ""));
  await told(
    "TopologyAwareHintsDisabled",
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes, addressType: IPv4",
  );
});
