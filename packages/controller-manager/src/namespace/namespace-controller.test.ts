import { deployments } from "@picokube/api/apps/v1";
import { configmaps, events, namespaces, pods, services } from "@picokube/api/core/v1";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { namespaceController } from "./namespace-controller.js";

const containers = [{ name: "main", image: "nginx" }];

test("namespace controller", async (t) => {
  const { client } = await startApiServer(t);
  runControllers(t, { client, create: [namespaceController, serviceAccountController] });

  const read = (name: string) => ifThere(client.get(namespaces, { name }));
  const gone = (name: string) => eventually(`${name} is gone`, async () => !(await read(name)));

  await t.test("an empty one goes", async () => {
    await client.create(namespaces, { metadata: { name: "empty" } });
    await client.delete(namespaces, { name: "empty" });
    await gone("empty");
  });

  await t.test("content of several kinds goes with it, and nobody else's", async (t) => {
    const namespace = "dev";
    await client.create(namespaces, { metadata: { name: namespace } });
    for (const within of [namespace, "default"])
      await client.create(configmaps, { metadata: { name: "settings", namespace: within } });
    await client.create(services, { metadata: { name: "web", namespace }, spec: { ports: [{ port: 80 }] } });
    await client.create(deployments, {
      metadata: { name: "web", namespace },
      spec: {
        selector: { matchLabels: { app: "web" } },
        template: { metadata: { labels: { app: "web" } }, spec: { containers } },
      },
    });
    await client.create(pods, { metadata: { name: "unscheduled", namespace }, spec: { containers } });
    await client.delete(namespaces, { name: namespace });
    await gone(namespace);
    for (const resource of [configmaps, services, deployments, pods, events])
      t.same((await client.list(resource, { namespace })).items, [], resource.resource);
    t.ok(await client.get(configmaps, { name: "settings", namespace: "default" }));
  });

  await t.test("a pod's grace is waited for, and its end is noticed", async (t) => {
    const namespace = "graceful";
    await client.create(namespaces, { metadata: { name: namespace } });
    await client.create(configmaps, { metadata: { name: "settings", namespace } });
    await client.create(pods, {
      metadata: { name: "slow", namespace },
      spec: { containers, nodeName: "node-1", terminationGracePeriodSeconds: 600 },
    });
    await client.delete(namespaces, { name: namespace });
    const conditions = await eventually("the pod is said to remain", async () => {
      const found = (await read(namespace))?.status?.conditions;
      return found?.some(({ type, status }) => type === "NamespaceContentRemaining" && status === "True") && found;
    });
    const remaining = conditions.find(({ type }) => type === "NamespaceContentRemaining");
    t.equal(remaining?.reason, "SomeResourcesRemain");
    t.equal(remaining?.message, "Some resources are remaining: pods. has 1 resource instances");
    t.ok((await client.get(pods, { name: "slow", namespace })).metadata.deletionTimestamp);
    t.ok(await client.get(configmaps, { name: "settings", namespace }), "pods end first");
    await client.delete(pods, { name: "slow", namespace }, { gracePeriodSeconds: 0 });
    // Unnoticed, the next look would come after half the grace.
    await gone(namespace);
  });

  await t.test("finalizers hold it, and are named", async (t) => {
    const namespace = "held";
    await client.create(namespaces, { metadata: { name: namespace } });
    await client.create(configmaps, { metadata: { name: "kept", namespace, finalizers: ["example.com/keep"] } });
    await client.delete(namespaces, { name: namespace });
    const message = await eventually("the finalizer is named", async () => {
      const conditions = (await read(namespace))?.status?.conditions;
      const found = conditions?.find(({ type }) => type === "NamespaceFinalizersRemaining");
      return found?.status === "True" && found.message;
    });
    t.equal(
      message,
      "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances",
    );
    await client.patch(configmaps, { name: "kept", namespace }, { metadata: { finalizers: [] } }, { type: "merge" });
    await gone(namespace);
  });
});
