// Against a real apiserver: addresses come and go with nodes, types, ports and deletions, and each wait has a reason.

import { events, nodes, type Service, services } from "@picokube/api/core/v1";
import { endpointslices } from "@picokube/api/discovery/v1";
import { ifThere } from "@picokube/client/if-there";
import { realClock } from "@picokube/component-base/clock";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { driveController } from "../driven-controller.testing.js";
import { endpointSliceController } from "../endpointslice/endpointslice-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { serviceLbController } from "./service-lb-controller.js";

const namespace = "default";
const finalizer = "service.kubernetes.io/load-balancer-cleanup";

function asks({ client }: TestApiServer) {
  const get = (name: string) => ifThere(client.get(services, { name, namespace }));
  const ips = (service: Service | undefined) =>
    service?.status?.loadBalancer?.ingress?.map(({ ip }) => ip).join() ?? "";
  return {
    get,
    create: (name: string, port: number, spec: Partial<NonNullable<Service["spec"]>> = {}) =>
      client.create(services, {
        metadata: { name, namespace },
        spec: { type: "LoadBalancer", ports: [{ port }], ...spec },
      }),
    change: (name: string, spec: object) => client.patch(services, { name, namespace }, { spec }, { type: "merge" }),
    has: (name: string, expected: string) =>
      eventually(`${name} has "${expected}"`, async () => ips(await get(name)) === expected),
    told: (name: string, reason: string, words: string | RegExp) =>
      eventually(`${name} is told ${reason} ${words}`, async () => {
        const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` });
        return items.some((event) => {
          const fits = typeof words === "string" ? event.message === words : words.test(event.message ?? "");
          return event.reason === reason && fits;
        });
      }),
    node: async (name: string, address: string, labels: Record<string, string> = {}) => {
      await client.create(nodes, { metadata: { name, labels } });
      const status = {
        addresses: [{ type: "InternalIP", address }],
        conditions: [{ type: "Ready", status: "True", reason: "r", message: "m" }],
      };
      await client.patch(nodes, { name }, { status }, { type: "merge", subresource: "status" });
    },
  };
}

test("F1 nodes' addresses", async (t) => {
  const apiServer = await startApiServer(t);
  const { client } = apiServer;
  const { get, create, change, has, told, node } = asks(apiServer);
  const options = { loadBalancerAddresses: [] };
  // Beside the one that it shares an informer with: a slice of another's making is nobody's to delete.
  const controllers = [endpointSliceController, serviceLbController];
  const running = runControllers(t, { client, create: controllers, options, workers: 1 });
  await client.create(endpointslices, {
    metadata: { name: "by-hand", namespace, labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.77"] }],
    ports: [{ port: 80 }],
  });

  await create("web", 80, { selector: { app: "web" } });
  await eventually("the EndpointSlice controller has had its turn", async () => {
    const { items } = await client.list(endpointslices, { namespace, labelSelector: "kubernetes.io/service-name=web" });
    return items.some(({ metadata }) => metadata.name !== "by-hand");
  });
  await told("web", "UnAvailableLoadBalancer", "There are no available nodes for LoadBalancer");
  t.ok((await get("web"))?.metadata.finalizers?.includes(finalizer));
  await node("one", "192.0.2.1");
  await node("away", "192.0.2.9", { "node.kubernetes.io/exclude-from-external-load-balancers": "" });
  await has("web", "192.0.2.1");
  t.strictSame((await get("web"))?.status?.loadBalancer?.ingress, [{ ip: "192.0.2.1", ipMode: "VIP" }]);
  await told("web", "EnsuringLoadBalancer", "Ensuring load balancer");
  await told("web", "EnsuredLoadBalancer", "Ensured load balancer");
  await node("two", "192.0.2.2");
  await has("web", "192.0.2.1,192.0.2.2");
  await told("web", "UpdatedLoadBalancer", "Updated load balancer with new hosts");

  // One port of one address is one Service's; the other waits, and follows when it is free.
  await create("second", 80);
  await told(
    "second",
    "SyncLoadBalancerFailed",
    "Error syncing load balancer: failed to ensure load balancer: port 80/TCP of 192.0.2.1 is taken by Service default/web",
  );
  await create("third", 81);
  await has("third", "192.0.2.1,192.0.2.2");
  await has("second", "");
  await change("web", { ports: [{ port: 8080 }] });
  await has("second", "192.0.2.1,192.0.2.2");

  // Local traffic: where there are endpoints.
  await create("local", 82, { externalTrafficPolicy: "Local" });
  await told("local", "UnAvailableLoadBalancer", /no available nodes/);
  await client.create(endpointslices, {
    metadata: { name: "local-1", namespace, labels: { "kubernetes.io/service-name": "local" } },
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.244.1.5"], nodeName: "two", conditions: { ready: true } }],
    ports: [{ port: 8080 }],
  });
  await has("local", "192.0.2.2");

  // Another's class is another's; a node that falls ill leaves; the type changes and the address goes.
  await create("theirs", 83, { loadBalancerClass: "example.com/theirs" });
  await told("theirs", "LoadBalancerClassNotServed", /^load balancer class "example.com\/theirs" is not served here/);
  await client.patch(
    nodes,
    { name: "one" },
    { status: { conditions: [{ type: "Ready", status: "Unknown", reason: "r", message: "m" }] } },
    { type: "merge", subresource: "status" },
  );
  await has("third", "192.0.2.2");
  t.strictSame((await get("theirs"))?.metadata.finalizers, undefined);
  t.strictSame((await get("theirs"))?.status?.loadBalancer, {});
  await change("third", { type: "ClusterIP", externalTrafficPolicy: null, allocateLoadBalancerNodePorts: null });
  await told("third", "Type", "LoadBalancer -> ClusterIP");
  await told("third", "DeletedLoadBalancer", "Deleted load balancer");
  await eventually("the finalizer is gone", async () => !(await get("third"))?.metadata.finalizers?.length);
  await has("third", "");

  t.ok(await client.get(endpointslices, { name: "by-hand", namespace }), "it is still there");

  // Deleted while the controller is away: it waits for it.
  await running.stop();
  await client.delete(services, { name: "web", namespace });
  t.ok((await get("web"))?.metadata.deletionTimestamp);
  runControllers(t, { client, create: [serviceLbController], options, workers: 1 });
  await eventually("it is gone", async () => (await get("web")) === undefined);
});

test("F1 a pool's addresses: one to each, kept over a restart, given again", async (t) => {
  const apiServer = await startApiServer(t);
  const { client } = apiServer;
  const { get, create, change, has, told, node } = asks(apiServer);
  const options = { loadBalancerAddresses: ["198.51.100.1-198.51.100.2"] };
  const first = runControllers(t, { client, create: [serviceLbController], options, workers: 1 });
  await node("one", "192.0.2.1");
  await Promise.all(["a", "b", "c"].map((name) => create(name, 80)));
  const holders = await eventually("two have an address", async () => {
    const all = await Promise.all(["a", "b", "c"].map(async (name) => ({ name, service: await get(name) })));
    const having = all.filter(({ service }) => service?.status?.loadBalancer?.ingress?.length);
    return having.length === 2 ? having : undefined;
  });
  const addresses = holders.map(({ service }) => service!.status!.loadBalancer!.ingress![0]!.ip);
  t.strictSame([...addresses].sort(), ["198.51.100.1", "198.51.100.2"]);
  const announcer = "load-balancer.picokube.io/announced-by";
  for (const { name, service } of holders) {
    t.equal(service!.metadata.annotations?.[announcer], "one");
    await told(name, "nodeAssigned", 'announcing from node "one"');
  }
  const loser = ["a", "b", "c"].find((name) => !holders.some((holder) => holder.name === name))!;
  await told(loser, "SyncLoadBalancerFailed", /no IPv4 address of the pool is free$/);
  await create("outside", 81, { loadBalancerIP: "203.0.113.1" });
  await told("outside", "SyncLoadBalancerFailed", /requested address 203.0.113.1 is not in the pool$/);

  await first.stop();
  runControllers(t, { client, create: [serviceLbController], options, workers: 1 });
  await client.delete(services, { name: holders[0]!.name, namespace });
  await has(loser, addresses[0]!);
  await has(holders[1]!.name, addresses[1]!);
  await change(loser, { loadBalancerIP: addresses[1] });
  await told(loser, "LoadbalancerIP", ` -> ${addresses[1]}`);
  await told(
    loser,
    "SyncLoadBalancerFailed",
    new RegExp(`requested address ${addresses[1]} is taken by Service default/${holders[1]!.name}$`),
  );
  await has(loser, "");
  t.equal((await get(loser))!.metadata.annotations?.[announcer], undefined, "nothing is left to announce");

  // The node that announced dies, and another is there.
  await node("two", "192.0.2.2");
  const [unready] = [{ type: "Ready", status: "Unknown" }];
  await client.patch(
    nodes,
    { name: "one" },
    { status: { conditions: [unready] } },
    { type: "merge", subresource: "status" },
  );
  await told(holders[1]!.name, "nodeAssigned", 'announcing from node "two"');
  t.equal((await get(holders[1]!.name))!.metadata.annotations?.[announcer], "two");
});

test("F1 no address is given twice, however late the news of the first, and whatever the controller dies at", async (t) => {
  const apiServer = await startApiServer(t);
  const { client } = apiServer;
  const { get, create, node } = asks(apiServer);
  await node("one", "192.0.2.1");
  const names = ["a", "b", "c"];
  for (const name of names) await create(name, 80);
  const driven = await driveController(t, {
    client,
    create: (dependencies) =>
      serviceLbController({
        ...dependencies,
        options: { ...dependencies.options, loadBalancerAddresses: ["198.51.100.1-198.51.100.3"] },
      }),
    clock: realClock(),
    onWrite: () => {},
    // Long after the next Service's turn.
    watchDelayMs: 300,
  });
  await driven.catchUp(services, nodes);
  const addresses = async () =>
    (await Promise.all(names.map(get))).map((service) => service?.status?.loadBalancer?.ingress?.[0]?.ip);
  // The first dies as soon as the server has what it wrote; its successor has only the server to learn from.
  await driven.step("default/a", { at: 1, afterTheWrite: true });
  await driven.catchUp(services, nodes);
  for (const name of [...names, ...names]) await driven.step(`default/${name}`);
  t.strictSame((await addresses()).sort(), ["198.51.100.1", "198.51.100.2", "198.51.100.3"]);

  // Freed and asked for again in one breath.
  const [freed] = await addresses();
  await client.patch(services, { name: "a", namespace }, { spec: { type: "NodePort" } }, { type: "merge" });
  await create("d", 80);
  await driven.catchUp(services, nodes);
  for (const name of ["d", "a", "d"]) await driven.step(`default/${name}`);
  await driven.catchUp(services, nodes);
  await driven.step("default/d");
  t.equal((await get("d"))?.status?.loadBalancer?.ingress?.[0]?.ip, freed);
});
