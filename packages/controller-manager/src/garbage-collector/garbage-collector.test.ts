import { configmaps, events, namespaces, secrets } from "@picokube/api/core/v1";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { ownerRef } from "@picokube/api/owner";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { garbageCollector } from "./garbage-collector.js";

const namespace = "default";

function api(client: Client) {
  const get = (resource: Resource, name: string, within = namespace) =>
    ifThere(client.get<KubernetesObject>(resource, { name, namespace: within }));
  return {
    get,
    make: (name: string, ownerReferences: OwnerReference[] = [], within = namespace) =>
      client.create(configmaps, { metadata: { name, namespace: within, ownerReferences } }),
    gone: (name: string) => eventually(`${name} is gone`, async () => !(await get(configmaps, name))),
  };
}

test("garbage collector", async (t) => {
  const { client } = await startApiServer(t);
  const { get, make, gone } = api(client);
  runControllers(t, { client, create: [garbageCollector], workers: 5 });

  await t.test("background: dependents of a deleted owner go, through two generations", async (t) => {
    const owner = await make("owner");
    const child = await make("child", [ownerRef(owner, configmaps)]);
    await make("grandchild", [ownerRef(child, configmaps)]);
    const bystander = await make("bystander");
    await client.delete(configmaps, { name: "owner", namespace }, { propagationPolicy: "Background" });
    await gone("child");
    await gone("grandchild");
    t.ok(await get(configmaps, bystander.metadata.name));
  });

  await t.test("an owner that never was: the object goes; with one living owner it loses the reference", async (t) => {
    const absent = { apiVersion: "v1", kind: "ConfigMap", name: "never", uid: "00000000-0000-0000-0000-000000000000" };
    const living = await make("living");
    await make("lost", [absent]);
    await make("kept", [absent, ownerRef(living, configmaps)]);
    await gone("lost");
    await eventually("the dead reference is dropped", async () => {
      const references = (await get(configmaps, "kept"))?.metadata.ownerReferences;
      return references?.length === 1 && references[0]?.name === "living";
    });
    const reused = { ...ownerRef(living, configmaps), uid: absent.uid };
    await make("mistaken", [reused]);
    await gone("mistaken");
    t.ok(await get(configmaps, "living"), "a name that is another's is not the owner");
  });

  await t.test("foreground: the owner stays until what blocks it is gone", async (t) => {
    const owner = await make("front");
    const reference = { ...ownerRef(owner, configmaps), blockOwnerDeletion: true };
    await client.create(configmaps, {
      metadata: { name: "held", namespace, ownerReferences: [reference], finalizers: ["example.com/hold"] },
    });
    await client.delete(configmaps, { name: "front", namespace }, { propagationPolicy: "Foreground" });
    await eventually("held is being deleted", async () => (await get(configmaps, "held"))?.metadata.deletionTimestamp);
    t.same((await get(configmaps, "front"))?.metadata.finalizers, ["foregroundDeletion"]);
    await client.patch(configmaps, { name: "held", namespace }, { metadata: { finalizers: [] } }, { type: "merge" });
    await gone("held");
    await gone("front");
  });

  await t.test("orphan: dependents stay and forget their owner", async (t) => {
    const owner = await make("parent");
    await make("orphan", [ownerRef(owner, configmaps)]);
    await client.delete(configmaps, { name: "parent", namespace }, { propagationPolicy: "Orphan" });
    await gone("parent");
    t.same((await get(configmaps, "orphan"))?.metadata.ownerReferences ?? [], []);
  });

  await t.test("a circle of owners deleted in the foreground comes apart", async () => {
    const first = await make("first");
    const second = await make("second", [{ ...ownerRef(first, configmaps), blockOwnerDeletion: true }]);
    const ownerReferences = [{ ...ownerRef(second, configmaps), blockOwnerDeletion: true }];
    await client.patch(configmaps, { name: "first", namespace }, { metadata: { ownerReferences } }, { type: "merge" });
    await client.delete(configmaps, { name: "first", namespace }, { propagationPolicy: "Foreground" });
    await gone("first");
    await gone("second");
  });

  await t.test("an owner in another namespace is none, and an event says so", async (t) => {
    await client.create(namespaces, { metadata: { name: "other" } });
    const owner = await make("far", [], "other");
    const stranger = await client.create(secrets, {
      metadata: { name: "stranger", namespace, ownerReferences: [ownerRef(owner, configmaps)] },
    });
    const event = await eventually("the event is written", async () => {
      const { items } = await client.list(events, { namespace });
      return items.find(({ reason }) => reason === "OwnerRefInvalidNamespace");
    });
    t.equal(event.involvedObject.uid, stranger.metadata.uid);
    t.equal(
      event.message,
      `ownerRef [v1/ConfigMap, namespace: default, name: far, uid: ${owner.metadata.uid}] does not exist in namespace "default"`,
    );
    await eventually("the stranger is gone", async () => !(await get(secrets, "stranger")));
    t.ok(await get(configmaps, "far", "other"));
  });
});
