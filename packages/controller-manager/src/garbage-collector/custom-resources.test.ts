// The collector, the namespace controller and the quota controller over kinds that come and go while they run.

import { customresourcedefinitions } from "@picokube/api/apiextensions/v1";
import { configmaps, events, namespaces, resourcequotas } from "@picokube/api/core/v1";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { ownerRef } from "@picokube/api/owner";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { namespaceController } from "../namespace/namespace-controller.js";
import { resourceQuotaController } from "../resourcequota/resourcequota-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { garbageCollector } from "./garbage-collector.js";

const namespace = "default";
const group = "example.com";

function resourceOf(kind: string, namespaced = true): Resource {
  const singular = kind.toLowerCase();
  return { group, version: "v1", kind, resource: `${singular}s`, singular, namespaced, shortNames: [], categories: [] };
}

const widgets = resourceOf("Widget");
const gadgets = resourceOf("Gadget", false);

async function declare(client: Client, { kind, resource, singular, namespaced }: Resource): Promise<void> {
  const name = `${resource}.${group}`;
  await client.create(customresourcedefinitions, {
    metadata: { name },
    spec: {
      group,
      scope: namespaced ? "Namespaced" : "Cluster",
      names: { plural: resource, singular, kind },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } },
        },
      ],
    },
  });
  await eventually(`${name} is served`, async () => {
    const { status } = await client.get(customresourcedefinitions, { name });
    return status?.conditions?.some((each) => each.type === "Established" && each.status === "True");
  });
}

function api(client: Client) {
  const get = (resource: Resource, name: string, within = namespace) =>
    ifThere(client.get<KubernetesObject>(resource, resource.namespaced ? { name, namespace: within } : { name }));
  return {
    get,
    make: (resource: Resource, name: string, ownerReferences: OwnerReference[] = [], metadata: object = {}) =>
      client.create<KubernetesObject>(resource, {
        metadata: { name, ...(resource.namespaced ? { namespace } : {}), ownerReferences, ...metadata },
      }),
    gone: (resource: Resource, name: string) =>
      eventually(`${resource.resource}/${name} is gone`, async () => !(await get(resource, name))),
    remove: (resource: Resource, name: string, propagationPolicy: "Background" | "Foreground" | "Orphan") =>
      client.delete(resource, resource.namespaced ? { name, namespace } : { name }, { propagationPolicy }),
  };
}

test("garbage collection over custom resources", async (t) => {
  const { client } = await startApiServer(t);
  const { get, make, gone, remove } = api(client);
  runControllers(t, { client, create: [garbageCollector, namespaceController, resourceQuotaController], workers: 5 });
  // The collector runs before there is any such kind.
  await declare(client, widgets);

  await t.test("background: through custom and built-in kinds, both ways", async (t) => {
    const owner = await make(widgets, "owner");
    const child = await make(configmaps, "child", [ownerRef(owner, widgets)]);
    await make(widgets, "grandchild", [ownerRef(child, configmaps)]);
    await make(widgets, "bystander");
    await remove(widgets, "owner", "Background");
    await gone(configmaps, "child");
    await gone(widgets, "grandchild");
    t.ok(await get(widgets, "bystander"));
  });

  await t.test("foreground: a custom dependent holds its custom owner", async (t) => {
    const owner = await make(widgets, "front");
    const reference = { ...ownerRef(owner, widgets), blockOwnerDeletion: true };
    await make(widgets, "held", [reference], { finalizers: ["example.com/hold"] });
    await remove(widgets, "front", "Foreground");
    await eventually("held is being deleted", async () => (await get(widgets, "held"))?.metadata.deletionTimestamp);
    t.same((await get(widgets, "front"))?.metadata.finalizers, ["foregroundDeletion"]);
    await client.patch(widgets, { name: "held", namespace }, { metadata: { finalizers: [] } }, { type: "merge" });
    await gone(widgets, "held");
    await gone(widgets, "front");
  });

  await t.test("orphan: custom dependents, which know no strategic merge, forget their owner", async (t) => {
    const owner = await make(widgets, "parent");
    const other = await make(configmaps, "other-parent");
    await make(widgets, "orphan", [ownerRef(owner, widgets), ownerRef(other, configmaps)]);
    await eventually("the collector has seen the owner", async () => get(widgets, "parent"));
    await remove(widgets, "parent", "Orphan");
    await gone(widgets, "parent");
    const left = await eventually("the owner is forgotten", async () => {
      const references = (await get(widgets, "orphan"))?.metadata.ownerReferences;
      return references?.length === 1 && references;
    });
    t.equal(left[0]?.name, "other-parent");
  });

  await t.test("owners that never were, and circles", async () => {
    const absent = { ...ownerRef(await make(widgets, "x"), widgets), uid: "00000000-0000-0000-0000-000000000000" };
    await make(widgets, "lost", [absent]);
    await gone(widgets, "lost");
    const first = await make(widgets, "first");
    const second = await make(widgets, "second", [{ ...ownerRef(first, widgets), blockOwnerDeletion: true }]);
    const ownerReferences = [{ ...ownerRef(second, widgets), blockOwnerDeletion: true }];
    await client.patch(widgets, { name: "first", namespace }, { metadata: { ownerReferences } }, { type: "merge" });
    await remove(widgets, "first", "Foreground");
    await gone(widgets, "first");
    await gone(widgets, "second");
  });

  await t.test("an owner in another namespace is none, and an event says so", async (t) => {
    await client.create(namespaces, { metadata: { name: "elsewhere" } });
    const far = await client.create<KubernetesObject>(widgets, { metadata: { name: "far", namespace: "elsewhere" } });
    const stranger = await make(configmaps, "stranger", [ownerRef(far, widgets)]);
    const event = await eventually("the event is written", async () => {
      const { items } = await client.list(events, { namespace });
      return items.find(({ reason }) => reason === "OwnerRefInvalidNamespace");
    });
    t.equal(event.involvedObject.uid, stranger.metadata.uid);
    t.equal(
      event.message,
      `ownerRef [example.com/v1/Widget, namespace: default, name: far, uid: ${far.metadata.uid}] does not exist in namespace "default"`,
    );
    await gone(configmaps, "stranger");
  });

  await t.test("a quota counts custom resources", async (t) => {
    const counted = "count/widgets.example.com";
    await client.create(namespaces, { metadata: { name: "counted" } });
    await client.create(resourcequotas, {
      metadata: { name: "q", namespace: "counted" },
      spec: { hard: { [counted]: "1" } },
    });
    const used = (amount: string) =>
      eventually(`${amount} are used`, async () => {
        const { status } = await client.get(resourcequotas, { name: "q", namespace: "counted" });
        return (status?.used as { [name: string]: string } | undefined)?.[counted] === amount;
      });
    await used("0");
    await client.create<KubernetesObject>(widgets, { metadata: { name: "one", namespace: "counted" } });
    await used("1");
    await t.rejects(client.create<KubernetesObject>(widgets, { metadata: { name: "two", namespace: "counted" } }), {
      code: 403,
      message: `widgets.example.com "two" is forbidden: exceeded quota: q, requested: ${counted}=1, used: ${counted}=1, limited: ${counted}=1`,
    });
  });

  await t.test("a namespace takes its custom resources along", async (t) => {
    await client.delete(namespaces, { name: "counted" });
    await eventually(
      "the namespace is gone",
      async () => !(await ifThere(client.get(namespaces, { name: "counted" }))),
    );
    const { items } = await client.list<KubernetesObject>(widgets);
    t.notOk(items.some(({ metadata }) => metadata.namespace === "counted"));
  });

  await t.test("with their definition custom owners go, and with them what they own", async (t) => {
    await declare(client, gadgets);
    // Only who watches a kind can end a foreground deletion: from here on the collector sees what happens to it.
    await make(gadgets, "probe");
    await remove(gadgets, "probe", "Foreground");
    await gone(gadgets, "probe");
    const owner = await make(gadgets, "owner");
    await make(configmaps, "owned-by-gadget", [ownerRef(owner, gadgets)]);
    await make(widgets, "widget-of-gadget", [ownerRef(owner, gadgets)]);
    await client.delete(customresourcedefinitions, { name: "gadgets.example.com" });
    await gone(customresourcedefinitions as Resource, "gadgets.example.com");
    await gone(configmaps, "owned-by-gadget");
    await gone(widgets, "widget-of-gadget");
    t.ok(await get(widgets, "bystander"));
  });
});
