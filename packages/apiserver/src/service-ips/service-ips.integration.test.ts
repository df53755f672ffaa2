// IPAddress and ServiceCIDR objects of a real apiserver: made and deleted with Services, repaired, and ranges that are added.

import { events, type Service, services } from "@picokube/api/core/v1";
import { ipaddresses, servicecidrs } from "@picokube/api/networking/v1";
import type { Client } from "@picokube/client/client";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";

const namespace = "default";

function makeService(client: Client, name: string, spec: Partial<Service["spec"]> = {}): Promise<Service> {
  return client.create(services, { metadata: { name, namespace }, spec: { ports: [{ port: 80 }], ...spec } });
}

async function addressesOf(client: Client): Promise<string[]> {
  const { items } = await client.list(ipaddresses);
  return items
    .map(({ metadata, spec }) => `${metadata.name} ${spec?.parentRef?.namespace}/${spec?.parentRef?.name}`)
    .sort();
}

test("F1 an address is an object for as long as a Service has it, and nobody else can have it meanwhile", async (t) => {
  const { client } = await startApiServer(t);
  const kubernetes = "10.96.0.1 default/kubernetes";
  t.strictSame(await addressesOf(client), [kubernetes]);
  const web = await makeService(client, "web");
  const ip = web.spec!.clusterIP!;
  t.match(await client.get(ipaddresses, { name: ip }), {
    metadata: {
      labels: {
        "ipaddress.kubernetes.io/ip-family": "IPv4",
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
      },
    },
    spec: { parentRef: { resource: "services", namespace, name: "web" } },
  });
  await t.rejects(makeService(client, "web"), { message: /already exists/ });
  await t.rejects(makeService(client, "thief", { clusterIP: ip }), { message: /is already allocated/ });
  await makeService(client, "headless", { clusterIP: "None" });
  t.strictSame(await addressesOf(client), [kubernetes, `${ip} default/web`].sort(), "what came to nothing has none");

  const external = { ...web, spec: { type: "ExternalName", externalName: "example.com" } } as Service;
  await client.update(services, external);
  t.strictSame(await addressesOf(client), [kubernetes], "an ExternalName has none");
  const again = await client.get(services, { name: "web", namespace });
  const back = await client.update(services, {
    ...again,
    spec: { type: "ClusterIP", ports: [{ port: 80 }] },
  } as Service);
  t.ok((await addressesOf(client)).includes(`${back.spec!.clusterIP} default/web`));
  await client.delete(services, { name: "web", namespace });
  t.strictSame(await addressesOf(client), [kubernetes]);

  const parentRef = { group: "example.com", resource: "gateways", name: "gate" };
  await client.create(ipaddresses, { metadata: { name: "10.96.0.9" }, spec: { parentRef } });
  await t.rejects(makeService(client, "late", { clusterIP: "10.96.0.9" }), {
    message:
      'Service "late" is invalid: spec.clusterIPs: Invalid value: []string{"10.96.0.9"}: failed to allocate IP 10.96.0.9: provided IP is already allocated',
  });
});

test("F1 the ServiceCIDR of the flag is there and ready; another one makes room, until it goes", async (t) => {
  const { client } = await startApiServer(t, { flags: ["--service-cluster-ip-range=10.96.0.0/29"] });
  t.match(await client.get(servicecidrs, { name: "kubernetes" }), {
    spec: { cidrs: ["10.96.0.0/29"] },
    status: { conditions: [{ type: "Ready", status: "True", message: "Kubernetes default Service CIDR is ready" }] },
  });
  for (let i = 0; i < 5; i++) await makeService(client, `first-${i}`);
  await t.rejects(makeService(client, "more"), { code: 500, message: /range is full/ });
  const outside = "failed to allocate IP 10.200.0.5: the provided network does not match the current range";
  await t.rejects(makeService(client, "asks", { clusterIP: "10.200.0.5" }), { message: new RegExp(outside) });

  await client.create(servicecidrs, { metadata: { name: "more" }, spec: { cidrs: ["10.200.0.0/28"] } });
  t.match((await makeService(client, "more")).spec!.clusterIP, /^10\.200\.0\./);
  for (const edge of ["10.200.0.0", "10.200.0.15"])
    await t.rejects(makeService(client, "edge", { clusterIP: edge }), { message: /does not match the current range/ });

  const cidr = await client.get(servicecidrs, { name: "more" });
  const conditions = [
    {
      type: "Ready",
      status: "False",
      reason: "Terminating",
      message: "",
      lastTransitionTime: cidr.metadata.creationTimestamp!,
    },
  ];
  await client.update(servicecidrs, { ...cidr, status: { conditions } } as never, { subresource: "status" });
  await t.rejects(makeService(client, "late"), { message: /range is full/ });
  const more = await client.get(services, { name: "more", namespace });
  await client.update(services, { ...more, metadata: { ...more.metadata, labels: { still: "changeable" } } });
  await client.delete(servicecidrs, { name: "kubernetes" });
  await eventually("the default one comes back", async () => (await client.list(servicecidrs)).items.length === 2);
});

test("F1 addresses that were taken away come back: at once, and at the next start", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const names = Array.from({ length: 70 }, (_, i) => `web-${i}`);
  const made = await Promise.all(names.map((name) => makeService(client, name)));
  const all = await addressesOf(client);
  t.equal(all.length, 71);
  const [first] = made;
  const ip = first!.spec!.clusterIP!;
  await client.delete(ipaddresses, { name: ip });
  await eventually("repaired", async () => (await addressesOf(client)).length === 71);
  const told = await client.list(events, { namespace, fieldSelector: "reason=ClusterIPNotAllocated" });
  t.match(told.items, [
    {
      type: "Warning",
      involvedObject: { kind: "Service", name: first!.metadata.name },
      message: `Cluster IP [IPv4]: ${ip} is not allocated; repairing`,
      reportingComponent: "ipallocator-repair-controller",
    },
  ]);
  // As the data of an older version: Services only.
  const { items } = await client.list(ipaddresses);
  await Promise.all(items.map(({ metadata }) => client.delete(ipaddresses, { name: metadata.name })));
  await server.restart();
  await eventually("all of them", async () => (await addressesOf(client).catch(() => [])).join() === all.join());
});
