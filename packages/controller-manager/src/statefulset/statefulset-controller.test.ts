// StatefulSets against a real apiserver: the test plays the kubelet.

import { controllerrevisions, type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { events, type Pod, persistentvolumeclaims, pods } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { podNameLabel } from "./identity.js";
import { statefulSetController } from "./statefulset-controller.js";

const namespace = "default";
const labels = { app: "db" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "db", image }] } });

function harness(t: Test, { client }: TestApiServer) {
  runControllers(t, { client, create: [serviceAccountController, statefulSetController] });
  const get = () => client.get(statefulsets, { name: "db", namespace });
  const list = async () => (await client.list(pods, { namespace, labelSelector: "app=db" })).items;

  // Runs what waits, and ends what is to end.
  async function playKubelet(): Promise<Pod[]> {
    for (const { metadata, status } of await list()) {
      const name = { name: metadata.name, namespace };
      if (metadata.deletionTimestamp) await client.delete(pods, name, { gracePeriodSeconds: 0 }).catch(() => {});
      else if (status?.phase === "Pending") {
        const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
        const running = { status: { phase: "Running", conditions } };
        await client.patch(pods, name, running, { type: "merge", subresource: "status" }).catch(() => {});
      }
    }
    return list();
  }

  const settled = (what: string, check: (set: StatefulSet, all: Pod[]) => boolean) =>
    eventually(what, async () => {
      const all = await playKubelet();
      const set = await get();
      return set.status?.observedGeneration === set.metadata.generation && check(set, all) && { set, all };
    });
  return { get, list, playKubelet, settled };
}

const imageOf = ({ spec }: Pod) => spec?.containers[0]?.image;

test("a StatefulSet: names, claims, an update, a rollback, a smaller size", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { settled, list } = harness(t, server);
  await client.create(statefulsets, {
    metadata: { name: "db", namespace, annotations: { note: "first" } },
    spec: {
      replicas: 2,
      serviceName: "peers",
      selector: { matchLabels: labels },
      template: template("a"),
      revisionHistoryLimit: 1,
      persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Delete" },
      volumeClaimTemplates: [
        {
          metadata: { name: "data", labels: { tier: "fast" } },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
    },
  });
  const { set, all } = await settled("two of two", ({ status }) => status?.readyReplicas === 2);
  const second = all.find(({ metadata }) => metadata.name === "db-1")!;
  t.match(second.metadata, {
    generateName: "db-",
    labels: {
      ...labels,
      "statefulset.kubernetes.io/pod-name": "db-1",
      "apps.kubernetes.io/pod-index": "1",
      "controller-revision-hash": set.status!.updateRevision,
    },
  });
  t.match(second.spec, { hostname: "db-1", subdomain: "peers" });
  t.match(second.spec?.volumes, [{ name: "data", persistentVolumeClaim: { claimName: "data-db-1" } }]);
  t.equal(controllerOf(second)?.uid, set.metadata.uid);
  t.match(set.status, { replicas: 2, currentReplicas: 2, updatedReplicas: 2, availableReplicas: 2, collisionCount: 0 });
  t.equal(set.status?.currentRevision, set.status?.updateRevision);
  const claim = await eventually("the claim is the set's", async () => {
    const found = await client.get(persistentvolumeclaims, { name: "data-db-1", namespace });
    return found.metadata.ownerReferences?.[0] && found;
  });
  t.strictSame(claim.metadata.labels, { app: "db", tier: "fast" });
  t.match(controllerOf(claim), { kind: "StatefulSet", name: "db" });

  const revisions = async () =>
    (await client.list(controllerrevisions, { namespace })).items
      .map(({ metadata, revision }) => ({ name: metadata.name, revision }))
      .sort((a, b) => a.revision - b.revision);
  const [first] = await revisions();
  t.equal(
    (await client.get(controllerrevisions, { name: first!.name, namespace })).metadata.annotations?.note,
    "first",
  );
  const rollTo = async (image: string) => {
    await client.patch(
      statefulsets,
      { name: "db", namespace },
      { spec: { template: template(image) } },
      { type: "strategic" },
    );
    return settled(
      `everything is ${image}`,
      ({ status }, now) =>
        now.length === 2 &&
        now.every((pod) => imageOf(pod) === image) &&
        status?.currentRevision === status?.updateRevision,
    );
  };
  await rollTo("b");
  t.strictSame(
    (await revisions()).map(({ revision }) => revision),
    [1, 2],
  );
  const back = await rollTo("a");
  t.equal(back.set.status?.currentRevision, first!.name, "the same template is the same revision");
  t.strictSame(
    (await revisions()).map(({ revision }) => revision),
    [2, 3],
  );
  await rollTo("c");
  await rollTo("d");
  await eventually("one dead revision is kept", async () => (await revisions()).length === 2);

  await client.patch(statefulsets, { name: "db", namespace }, { spec: { replicas: 1 } }, { type: "merge" });
  await settled("one is left", (_, now) => now.length === 1);
  t.strictSame(
    (await list()).map(({ metadata }) => metadata.name),
    ["db-0"],
  );
  const left = await client.get(persistentvolumeclaims, { name: "data-db-1", namespace });
  t.match(controllerOf(left), { kind: "Pod", name: "db-1" }, "the claim goes with its pod");

  const told = await eventually("events", async () => {
    const { items } = await client.list(events, { namespace, fieldSelector: "involvedObject.kind=StatefulSet" });
    const messages = items.map(({ reason, message }) => `${reason}: ${message}`);
    return messages.includes("SuccessfulDelete: delete Pod db-1 in StatefulSet db successful") && messages;
  });
  t.ok(told.includes("SuccessfulCreate: create Pod db-0 in StatefulSet db successful"));
  t.ok(told.includes("SuccessfulCreate: create Claim data-db-0 Pod db-0 in StatefulSet db success"));
});

test("a stranger's pod under the set's name is left alone; another set is served all the same", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { settled } = harness(t, server);
  const spec = { replicas: 1, serviceName: "", selector: { matchLabels: labels }, template: template("a") };
  const stranger = await eventually("pods are let in", () =>
    client
      .create(pods, { metadata: { name: "taken-0", namespace, labels: { app: "x" } }, spec: template("x").spec })
      .catch(() => undefined),
  );
  await client.create(statefulsets, { metadata: { name: "taken", namespace }, spec });
  await client.create(statefulsets, { metadata: { name: "db", namespace }, spec });
  await settled("the other is up", ({ status }) => status?.readyReplicas === 1);
  const { metadata } = await client.get(pods, { name: "taken-0", namespace });
  t.equal(metadata.uid, stranger.metadata.uid);
  t.notOk(metadata.ownerReferences);
  await client.delete(pods, { name: "taken-0", namespace }, { gracePeriodSeconds: 0 });
  await eventually("the name is free: the set takes it", async () => {
    const found = await client.get(pods, { name: "taken-0", namespace }).catch(() => undefined);
    return found !== undefined && controllerOf(found)?.name === "taken";
  });
});

test("an orphan of the right name is adopted and given its labels; one that is relabelled is released", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { settled, playKubelet } = harness(t, server);
  const spec = { replicas: 2, serviceName: "", selector: { matchLabels: labels }, template: template("a") };
  await client.create(statefulsets, { metadata: { name: "db", namespace }, spec });
  await settled("two of two", ({ status }) => status?.readyReplicas === 2);
  const before = await client.get(pods, { name: "db-1", namespace });
  const put = (change: object) =>
    client.patch(pods, { name: "db-1", namespace }, { metadata: change }, { type: "merge" });
  await put({ labels: { app: "mine" } });
  await eventually("released", async () => !controllerOf(await client.get(pods, { name: "db-1", namespace })));
  await put({ labels: { app: "db", [podNameLabel]: null } });
  const adopted = await eventually("adopted and labelled", async () => {
    await playKubelet();
    const pod = await client.get(pods, { name: "db-1", namespace });
    return controllerOf(pod)?.name === "db" && pod.metadata.labels?.[podNameLabel] === "db-1" && pod;
  });
  t.equal(adopted.metadata.uid, before.metadata.uid);
});
