import { events, type Pod, pods, replicationcontrollers } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { replicationManager } from "./replication-manager.js";

const namespace = "default";
const labels = { app: "web" };
const containers = [{ name: "web", image: "nginx" }];

test("a ReplicationController keeps its number, adopts and releases by label, and gives up the pod that is missed least", async (t) => {
  const { client } = await startApiServer(t);
  const { informers } = runControllers(t, { client, create: [serviceAccountController, replicationManager] });
  const orphan = await eventually("pods are let in", () =>
    client
      .create(pods, { metadata: { name: "orphan", namespace, labels }, spec: { containers } })
      .catch(() => undefined),
  );
  // A controller that has not seen the orphan would make three pods of its own, and then give up one of the four.
  await eventually("the controller sees it", async () => informers.for(pods).get(`${namespace}/orphan`));
  const web = await client.create(replicationcontrollers, {
    metadata: { name: "web", namespace },
    spec: { replicas: 3, template: { metadata: { labels }, spec: { containers } } },
  });
  const owned = async () =>
    (await client.list(pods, { namespace })).items.filter(
      (pod) => controllerOf(pod)?.uid === web.metadata.uid && !pod.metadata.deletionTimestamp,
    );
  const exactly = (count: number) =>
    eventually(`${count} pods`, async () => {
      const found = await owned();
      return found.length === count && found;
    });
  const three = await exactly(3);
  t.ok(
    three.some(({ metadata }) => metadata.uid === orphan.metadata.uid),
    "the orphan is one of them",
  );
  t.match(controllerOf(three[0]!), { apiVersion: "v1", kind: "ReplicationController", blockOwnerDeletion: true });
  t.ok(
    three
      .filter(({ metadata }) => metadata.name !== "orphan")
      .every(({ metadata }) => /^web-.{5}$/.test(metadata.name)),
  );

  await client.patch(pods, { name: "orphan", namespace }, { metadata: { labels: { app: "mine" } } }, { type: "merge" });
  const released = await eventually("it is released", async () => {
    const pod = await client.get(pods, { name: "orphan", namespace });
    return !controllerOf(pod) && pod;
  });
  t.equal(released.metadata.uid, orphan.metadata.uid);
  const after = await exactly(3);

  const ready = (pod: Pod) => {
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
    const name = { name: pod.metadata.name, namespace };
    return client.patch(
      pods,
      name,
      { status: { phase: "Running", conditions } },
      { type: "merge", subresource: "status" },
    );
  };
  await ready(after[0]!);
  await eventually("status counts it", async () => {
    const { status } = await client.get(replicationcontrollers, { name: "web", namespace });
    return status?.readyReplicas === 1 && status.availableReplicas === 1 && status.replicas === 3;
  });
  await client.patch(replicationcontrollers, { name: "web", namespace }, { spec: { replicas: 1 } }, { type: "merge" });
  t.equal((await exactly(1))[0]!.metadata.uid, after[0]!.metadata.uid, "the ready one stays");
  const told = await eventually("events", async () => {
    const { items } = await client.list(events, {
      namespace,
      fieldSelector: "involvedObject.kind=ReplicationController",
    });
    return items.some(({ reason }) => reason === "SuccessfulDelete") && items;
  });
  t.ok(told.every(({ source }) => source?.component === "replication-controller"));
  t.match(told.find(({ reason }) => reason === "SuccessfulCreate")?.message, /^Created pod: web-.{5}$/);
});
