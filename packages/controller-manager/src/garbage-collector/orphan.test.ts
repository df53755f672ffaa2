// What is orphaned right after it was made: nothing may hang on how soon the collector hears of it.

import { deployments, type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { leases } from "@picokube/api/coordination/v1";
import { configmaps, secrets } from "@picokube/api/core/v1";
import { serviceUnavailable } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { controllerOf, ownerRef } from "@picokube/api/owner";
import { clusterroles } from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { deploymentController } from "../deployment/deployment-controller.js";
import { replicaSetController } from "../replicaset/replicaset-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { garbageCollector } from "./garbage-collector.js";

const namespace = "default";

function nameIn(resource: Resource, name: string) {
  return resource.namespaced ? { name, namespace } : { name };
}

async function gone(client: Client, resource: Resource, name: string): Promise<void> {
  const look = async () => !(await ifThere(client.get<KubernetesObject>(resource, nameIn(resource, name))));
  await eventually(`${resource.resource}/${name} is gone`, look);
}

/** Only who hears of an object can end its foreground deletion: the collector has heard of all before it. */
async function heardOf(client: Client, resource: Resource, { spec }: { spec?: unknown } = {}): Promise<void> {
  const metadata = { generateName: "probe-", ...(resource.namespaced ? { namespace } : {}) };
  const made = await client.create<KubernetesObject>(resource, { metadata, ...(spec ? { spec } : {}) } as never);
  const { name } = made.metadata;
  await client.delete(resource, nameIn(resource, name), { propagationPolicy: "Foreground" });
  await gone(client, resource, name);
}

/** The client on a bad line: what it watches of one resource can be held back, and the lists of another refused. */
function onBadLine(client: Client, { slow, broken }: { slow: Resource; broken: Resource }) {
  let open: Promise<void> = Promise.resolve();
  let release = () => {};
  let refused = 0;
  let refusing = false;
  const list: Client["list"] = (resource, options) => {
    if (!refusing || resource.resource !== broken.resource) return client.list(resource, options);
    refused += 1;
    return Promise.reject(serviceUnavailable("no server behind it"));
  };
  const watch: Client["watch"] = async function* (resource, options) {
    for await (const event of client.watch(resource, options)) {
      if (resource.resource === slow.resource) await open;
      yield event;
    }
  };
  return {
    client: { ...client, list, watch },
    refuse() {
      refusing = true;
    },
    refused: () => refused,
    hold() {
      open = new Promise((resolve) => {
        release = resolve;
      });
    },
    release: () => release(),
  };
}

test("dependents that the collector has not heard of are orphaned like the others", async (t) => {
  const { client } = await startApiServer(t);
  const line = onBadLine(client, { slow: configmaps, broken: leases });
  t.teardown(line.release);
  runControllers(t, { client: line.client, create: [garbageCollector], workers: 5 });
  for (const resource of [secrets, clusterroles] as Resource[])
    await t.test(`the owner is one of the ${resource.resource}`, async (t) => {
      await heardOf(client, configmaps);
      const owner = await client.create<KubernetesObject>(resource, { metadata: nameIn(resource, "owner") });
      const name = `unheard-of-${resource.resource}`;
      const ownerReferences = [ownerRef(owner, resource)];
      line.hold();
      const made = await client.create(configmaps, { metadata: { name, namespace, ownerReferences } });
      await client.delete(resource, nameIn(resource, "owner"), { propagationPolicy: "Orphan" });
      await gone(client, resource, "owner");
      const { metadata } = await client.get(configmaps, { name, namespace });
      t.equal(metadata.ownerReferences, undefined, "it has no owner");
      line.release();
      await heardOf(client, configmaps);
      const still = await ifThere(client.get(configmaps, { name, namespace }));
      t.equal(still?.metadata.uid, made.metadata.uid, "it is still there");
    });

  await t.test("a resource that cannot be listed does not hold up the others", async (t) => {
    line.refuse();
    await client.create(secrets, { metadata: { name: "owner", namespace } });
    await client.delete(secrets, { name: "owner", namespace }, { propagationPolicy: "Orphan" });
    await gone(client, secrets, "owner");
    t.ok(line.refused() > 0);
  });
});

test("Deployments orphaned as soon as they have a ReplicaSet leave it behind", async (t) => {
  const { client } = await startApiServer(t);
  runControllers(t, { client, create: [garbageCollector, deploymentController, replicaSetController], workers: 5 });
  const specOf = (name: string) => {
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { containers: [{ name: "main", image: "a" }] } };
    return { replicas: 1, selector: { matchLabels: labels }, template };
  };
  const orphan = async (name: string): Promise<ReplicaSet> => {
    await client.create(deployments, { metadata: { name, namespace }, spec: specOf(name) });
    const left = await eventually(`${name} has a ReplicaSet`, async () => {
      const { items } = await client.list(replicasets, { namespace, labelSelector: `app=${name}` });
      return items.find((each) => controllerOf(each)?.name === name);
    });
    await client.delete(deployments, { name, namespace }, { propagationPolicy: "Orphan" });
    await gone(client, deployments, name);
    return left;
  };
  const left = await Promise.all(Array.from({ length: 20 }, (_, index) => orphan(`web-${index}`)));
  await heardOf(client, replicasets, { spec: { ...specOf("probe"), replicas: 0 } });
  for (const { metadata } of left) {
    const now = await ifThere(client.get(replicasets, { name: metadata.name, namespace }));
    t.equal(now?.metadata.uid, metadata.uid, `${metadata.name} is still there`);
    t.equal(now?.metadata.ownerReferences, undefined, `${metadata.name} has no owner`);
  }
});
