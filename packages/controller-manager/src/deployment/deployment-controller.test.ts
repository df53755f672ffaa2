// Deployments and their ReplicaSets against a real apiserver with a clock that steps; the test plays the kubelet.

import { type Deployment, deployments, type ReplicaSet, replicasets } from "@picokube/api/apps/v1";
import { events, type Pod, pods } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { findCondition } from "../conditions.js";
import { replicaSetController } from "../replicaset/replicaset-controller.js";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { deploymentController } from "./deployment-controller.js";

const namespace = "default";
const patience = 60_000;

test("Deployments", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock(Math.floor(Date.now() / 1000) * 1000);
  runControllers(t, { client, create: [serviceAccountController] });
  runControllers(t, { client, create: [deploymentController, replicaSetController], clock });

  const soon = <T>(what: string, look: () => Promise<T | undefined | false>) => eventually(what, look, patience);
  const read = (name: string) => client.get(deployments, { name, namespace });
  const podsOf = async (name: string) =>
    (await client.list(pods, { namespace, labelSelector: `app=${name}` })).items.filter(
      ({ metadata }) => !metadata.deletionTimestamp,
    );
  const setsOf = async (name: string): Promise<ReplicaSet[]> =>
    (await client.list(replicasets, { namespace, labelSelector: `app=${name}` })).items;
  const template = (name: string, image: string) => ({
    metadata: { labels: { app: name } },
    spec: { nodeName: "n1", containers: [{ name: "main", image }] },
  });
  const create = (name: string, spec: Partial<NonNullable<Deployment["spec"]>> = {}) =>
    client.create(deployments, {
      metadata: { name, namespace },
      spec: { selector: { matchLabels: { app: name } }, template: template(name, "a"), ...spec },
    });
  const change = (name: string, spec: object, annotations: object = {}) =>
    client.patch(deployments, { name, namespace }, { metadata: { annotations }, spec }, { type: "merge" });
  const image = (name: string, value: string) => change(name, { template: template(name, value) });
  const ready = async (pod: Pod) => {
    const condition = { type: "Ready", status: "True", lastTransitionTime: formatTime(clock.now()) };
    const where = { name: pod.metadata.name, namespace };
    const status = { phase: "Running", conditions: [condition] };
    await client.patch(pods, where, { status }, { type: "strategic", subresource: "status" });
  };
  const complete = (name: string) =>
    soon(`${name} is complete`, async () => {
      for (const pod of await podsOf(name)) if (pod.status?.phase === "Pending") await ready(pod);
      const { status, spec, metadata } = await read(name);
      const settled = status?.updatedReplicas === spec?.replicas && status?.replicas === spec?.replicas;
      return (
        settled && status?.availableReplicas === spec?.replicas && status?.observedGeneration === metadata.generation
      );
    });
  const progressing = (name: string, reason: string) =>
    soon(`${name} is ${reason}`, async () => {
      const condition = findCondition((await read(name)).status?.conditions, "Progressing");
      return condition?.reason === reason && condition;
    });
  const toldOf = async (name: string) =>
    (await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })).items.map(
      ({ type, reason, message }) => `${type} ${reason} ${message}`,
    );

  await t.test("Recreate makes no new pod before the last old one is gone", async (t) => {
    await create("recreate", { replicas: 2, strategy: { type: "Recreate" } });
    await complete("recreate");
    const old = await podsOf("recreate");
    await image("recreate", "b");
    await soon("the old ones are told to end", async () => (await podsOf("recreate")).length === 0);
    t.equal((await setsOf("recreate")).length, 1, "they end, and there is nothing new");
    await client.delete(pods, { name: old[0]!.metadata.name, namespace }, { gracePeriodSeconds: 0 });
    t.equal((await setsOf("recreate")).length, 1, "one still ends");
    await client.delete(pods, { name: old[1]!.metadata.name, namespace }, { gracePeriodSeconds: 0 });
    await complete("recreate");
    t.ok((await podsOf("recreate")).every(({ spec }) => spec?.containers[0]?.image === "b"));
  });

  await t.test("a rollout that does not move is told of when its deadline is over", async (t) => {
    await create("stuck", { replicas: 1, progressDeadlineSeconds: 60 });
    await progressing("stuck", "ReplicaSetUpdated");
    const late = await eventually(
      "the deadline is over",
      async () => {
        await clock.advance(5000);
        const condition = findCondition((await read("stuck")).status?.conditions, "Progressing");
        return condition?.status === "False" && condition;
      },
      patience,
    );
    const [newest] = await setsOf("stuck");
    t.match(late, {
      reason: "ProgressDeadlineExceeded",
      message: `ReplicaSet "${newest?.metadata.name}" has timed out progressing.`,
    });
    await complete("stuck");
    await progressing("stuck", "NewReplicaSetAvailable");
  });

  await t.test("paused, a change waits and a scaling does not; resumed, it rolls out", async (t) => {
    await create("paused", { replicas: 1 });
    await complete("paused");
    await change("paused", { paused: true, template: template("paused", "b"), replicas: 2 });
    t.match(await progressing("paused", "DeploymentPaused"), { status: "Unknown", message: "Deployment is paused" });
    await soon("scaled", async () => (await podsOf("paused")).length === 2);
    t.equal((await setsOf("paused")).length, 1);
    await change("paused", { paused: false });
    await complete("paused");
    await progressing("paused", "NewReplicaSetAvailable");
    t.ok((await podsOf("paused")).every(({ spec }) => spec?.containers[0]?.image === "b"));
  });

  await t.test("minReadySeconds holds a rollout back", async (t) => {
    await create("slow", { replicas: 1, minReadySeconds: 30 });
    const [pod] = await soon("its pod", async () => {
      const found = await podsOf("slow");
      return found.length === 1 && found;
    });
    await ready(pod!);
    await soon("ready", async () => (await read("slow")).status?.readyReplicas === 1);
    t.equal((await read("slow")).status?.availableReplicas ?? 0, 0);
    await eventually(
      "available",
      async () => {
        await clock.advance(5000);
        return (await read("slow")).status?.availableReplicas === 1;
      },
      patience,
    );
    t.ok(
      clock.now() >=
        Date.parse(
          (await client.get(pods, { name: pod!.metadata.name, namespace })).status!.conditions![0]!.lastTransitionTime!,
        ) +
          30_000,
    );
  });

  await t.test("what the controller writes is no new generation; annotations of its owner's are", async (t) => {
    await create("generations", { replicas: 1 });
    await complete("generations");
    const { metadata, status } = await read("generations");
    t.equal(metadata.annotations?.["deployment.kubernetes.io/revision"], "1");
    t.strictSame([metadata.generation, status?.observedGeneration], [1, 1]);
    await change("generations", {}, { "example.com/note": "x" });
    await complete("generations");
    t.equal((await read("generations")).metadata.generation, 2);
  });

  await t.test("history: revisions, their limit, and the way back", async (t) => {
    await create("history", { replicas: 1, revisionHistoryLimit: 2 });
    for (const value of ["a", "b", "c", "d"]) {
      await image("history", value);
      await complete("history");
    }
    const revisions = await soon("the oldest is gone", async () => {
      const sets = await setsOf("history");
      const found = sets.map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"]).sort();
      return found.length === 3 && found;
    });
    t.strictSame(revisions, ["2", "3", "4"]);
    await change("history", {}, { "deprecated.deployment.rollback.to": "2" });
    await soon(
      "rolled back",
      async () => (await read("history")).metadata.annotations?.["deployment.kubernetes.io/revision"] === "5",
    );
    await complete("history");
    const { metadata, spec } = await read("history");
    t.equal(spec?.template.spec?.containers[0]?.image, "b");
    t.equal(metadata.annotations?.["deprecated.deployment.rollback.to"], undefined);
    t.equal(spec?.template.metadata?.labels?.["pod-template-hash"], undefined);
    const again = (await setsOf("history")).find(({ spec }) => spec?.template?.spec?.containers[0]?.image === "b");
    t.match(again?.metadata.annotations, { "deployment.kubernetes.io/revision-history": "2" });
    await change("history", {}, { "deprecated.deployment.rollback.to": "77" });
    await soon("the refusal", async () =>
      (await toldOf("history")).includes(
        "Warning DeploymentRollbackRevisionNotFound Unable to find the revision to rollback to.",
      ),
    );
    t.ok(
      (await toldOf("history")).includes('Normal DeploymentRollback Rolled back deployment "history" to revision 2'),
    );
  });

  await t.test("a ReplicaSet in the way of a name makes another hash; one that nobody owns is adopted", async (t) => {
    await create("collide", { replicas: 0 });
    const [first] = await soon("its ReplicaSet", async () => {
      const found = await setsOf("collide");
      return found.length === 1 && found;
    });
    const labels = { app: "collide", "pod-template-hash": first!.metadata.labels!["pod-template-hash"]! };
    await client.delete(deployments, { name: "collide", namespace }, { propagationPolicy: "Background" });
    await client.delete(replicasets, { name: first!.metadata.name, namespace });
    await client.create(replicasets, {
      metadata: { name: first!.metadata.name, namespace, labels: { other: "x" } },
      spec: {
        replicas: 0,
        selector: { matchLabels: labels },
        template: { ...template("collide", "z"), metadata: { labels } },
      },
    });
    await create("collide", { replicas: 0 });
    await soon("the collision is counted", async () => (await read("collide")).status?.collisionCount === 1);
    const second = await soon("a ReplicaSet of another name", async () =>
      (await setsOf("collide")).find(({ metadata }) => metadata.ownerReferences?.[0]?.name === "collide"),
    );
    t.not(second.metadata.name, first!.metadata.name);
    const orphan = { app: "collide", "pod-template-hash": "orphan" };
    await client.create(replicasets, {
      metadata: { name: "orphan", namespace, labels: orphan },
      spec: {
        replicas: 0,
        selector: { matchLabels: orphan },
        template: { ...template("collide", "y"), metadata: { labels: orphan } },
      },
    });
    await soon("adoption", async () => {
      const { metadata } = await client.get(replicasets, { name: "orphan", namespace });
      return metadata.ownerReferences?.[0]?.name === "collide";
    });
    await client.patch(
      replicasets,
      { name: "orphan", namespace },
      { metadata: { labels: { app: "free" } } },
      { type: "merge" },
    );
    await soon("release", async () => {
      const { metadata } = await client.get(replicasets, { name: "orphan", namespace });
      return metadata.ownerReferences === undefined;
    });
  });

  await t.test("pods that are refused show in ReplicaFailure; the others are served", async (t) => {
    const refused = {
      ...template("refused", "a"),
      spec: { ...template("refused", "a").spec, priorityClassName: "none" },
    };
    await create("refused", { replicas: 1, template: refused });
    const failure = await soon("ReplicaFailure", async () =>
      findCondition((await read("refused")).status?.conditions, "ReplicaFailure"),
    );
    t.match(failure, { status: "True", reason: "FailedCreate", message: /no PriorityClass with name none was found/ });
    await create("served", { replicas: 1 });
    await complete("served");
  });
});
