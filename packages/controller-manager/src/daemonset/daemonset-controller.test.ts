// DaemonSets against a real apiserver: the test plays the scheduler and the kubelets.

import { controllerrevisions, type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import { events, nodes, type Pod, pods } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { isPodReady } from "@picokube/api/pod";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { type Test, test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { targetNodeName } from "./daemon-pod.js";
import { daemonSetController } from "./daemonset-controller.js";

const namespace = "default";
const labels = { app: "agent" };
const where = { name: "agent", namespace };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "agent", image }] } });

function harness(t: Test, { client }: TestApiServer) {
  runControllers(t, { client, create: [serviceAccountController, daemonSetController] });
  const list = async () => (await client.list(pods, { namespace, labelSelector: "app=agent" })).items;

  async function playNode(): Promise<Pod[]> {
    for (const pod of await list()) {
      const name = { name: pod.metadata.name, namespace };
      if (pod.metadata.deletionTimestamp) await client.delete(pods, name, { gracePeriodSeconds: 0 }).catch(() => {});
      else if (!pod.spec?.nodeName) {
        const target = { kind: "Node", apiVersion: "v1", name: targetNodeName(pod)! };
        await client.createSubresource(pods, name, "binding", { metadata: name, target }).catch(() => {});
      } else if (pod.status?.phase === "Pending") {
        const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
        const running = { status: { phase: "Running", conditions } };
        await client.patch(pods, name, running, { type: "merge", subresource: "status" }).catch(() => {});
      }
    }
    return list();
  }

  const settled = (what: string, check: (set: DaemonSet, all: Pod[]) => boolean) =>
    eventually(what, async () => {
      const all = await playNode();
      const set = await client.get(daemonsets, where);
      return set.status?.observedGeneration === set.metadata.generation && check(set, all) && { set, all };
    });
  const everywhere = (count: number, image: string) =>
    settled(`${image} on ${count} nodes`, ({ status }, all) => {
      const right = all.filter(({ spec }) => spec?.containers[0]?.image === image);
      const { numberAvailable, desiredNumberScheduled, updatedNumberScheduled } = status!;
      const numbers = [right.length, all.length, numberAvailable, desiredNumberScheduled, updatedNumberScheduled];
      return numbers.every((number) => number === count);
    });
  // A new node is tainted until its kubelet has reported.
  async function addNode(name: string): Promise<void> {
    await client.create(nodes, { metadata: { name } });
    await client.patch(nodes, { name }, { spec: { taints: null } }, { type: "merge" });
  }
  return { list, settled, everywhere, addNode };
}

test("a DaemonSet: on every node, those that come and go, an update, a rollback, an old history", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { list, everywhere, settled, addNode } = harness(t, server);
  for (const name of ["n1", "n2"]) await addNode(name);
  await client.create(daemonsets, {
    metadata: { ...where },
    spec: { selector: { matchLabels: labels }, template: template("a"), revisionHistoryLimit: 1 },
  });
  const { set, all } = await everywhere(2, "a");
  t.strictSame(all.map(({ spec }) => spec?.nodeName).sort(), ["n1", "n2"]);
  t.match(controllerOf(all[0]!), { kind: "DaemonSet", name: "agent", uid: set.metadata.uid });
  t.match(all[0]!.metadata.labels, { "pod-template-generation": "1", "controller-revision-hash": /^[a-z0-9]+$/ });
  t.match(set.status, { currentNumberScheduled: 2, numberMisscheduled: 0, numberReady: 2 });
  t.notOk("numberUnavailable" in set.status!);

  await addNode("n3");
  await everywhere(3, "a");
  await client.patch(
    nodes,
    { name: "n3" },
    { spec: { taints: [{ key: "gpu", effect: "NoSchedule" }] } },
    { type: "merge" },
  );
  await settled(
    "it stays, but is not wanted",
    ({ status }, now) => status!.numberMisscheduled === 1 && now.length === 3,
  );
  await client.patch(
    nodes,
    { name: "n3" },
    { spec: { taints: [{ key: "gpu", effect: "NoExecute" }] } },
    { type: "merge" },
  );
  await everywhere(2, "a");
  await client.patch(nodes, { name: "n3" }, { spec: { taints: null } }, { type: "merge" });
  await everywhere(3, "a");

  const rollTo = async (image: string) => {
    await client.patch(daemonsets, where, { spec: { template: template(image) } }, { type: "strategic" });
    return everywhere(3, image);
  };
  const revisions = async () =>
    (await client.list(controllerrevisions, { namespace })).items.map(({ revision }) => revision).sort();
  const second = await rollTo("b");
  t.equal(second.all[0]!.metadata.labels?.["pod-template-generation"], "2");
  t.strictSame(await revisions(), [1, 2]);
  await rollTo("a");
  t.strictSame(await revisions(), [2, 3], "a template that was there before is brought forward");
  await rollTo("c");
  await eventually("one old revision is kept", async () => (await revisions()).join() === "3,4");

  const victim = (await list()).find(({ spec }) => spec?.nodeName === "n1")!;
  const failed = { status: { phase: "Failed" } };
  const name = { name: victim.metadata.name, namespace };
  await client.patch(pods, name, failed, { type: "merge", subresource: "status" });
  await settled(
    "the failed one is made anew",
    ({ status }, now) =>
      status?.numberAvailable === 3 && now.every(({ metadata }) => metadata.uid !== victim.metadata.uid),
  );
  const told = await eventually("events", async () => {
    const { items } = await client.list(events, { namespace, fieldSelector: "involvedObject.kind=DaemonSet" });
    return items.some(({ reason }) => reason === "FailedDaemonPod") && items;
  });
  t.equal(
    told.find(({ reason }) => reason === "FailedDaemonPod")?.message,
    `Found failed daemon pod default/${victim.metadata.name} on node n1, will try to kill it`,
  );
  t.match(told.find(({ reason }) => reason === "SuccessfulCreate")?.message, /^Created pod: agent-.{5}$/);
});

test("a DaemonSet with surge, and one that waits for deletions", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { list, everywhere, settled, addNode } = harness(t, server);
  for (const name of ["n1", "n2"]) await addNode(name);
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
  await client.create(daemonsets, {
    metadata: { ...where },
    spec: {
      selector: { matchLabels: labels },
      template: template("a"),
      updateStrategy: { type: "RollingUpdate", rollingUpdate },
    },
  });
  await everywhere(2, "a");
  let fewest = 2;
  await client.patch(daemonsets, where, { spec: { template: template("b") } }, { type: "strategic" });
  await settled("b on both", ({ status }, all) => {
    // Not by the status: it counts the oldest pod of a node, and two of one second have no oldest.
    const serving = all.filter((pod) => isPodReady(pod) && !pod.metadata.deletionTimestamp);
    fewest = Math.min(fewest, new Set(serving.map(({ spec }) => spec?.nodeName)).size);
    return status?.updatedNumberScheduled === 2 && all.length === 2 && status.numberAvailable === 2;
  });
  t.equal(fewest, 2, "none was ever missing");

  const onDelete = { spec: { updateStrategy: { type: "OnDelete", rollingUpdate: null }, template: template("c") } };
  await client.patch(daemonsets, where, onDelete, { type: "strategic" });
  const { all } = await settled("seen, and left alone", ({ status }) => !status?.updatedNumberScheduled);
  t.ok(all.every(({ spec }) => spec?.containers[0]?.image === "b"));
  for (const { metadata } of await list()) await client.delete(pods, { name: metadata.name, namespace });
  await everywhere(2, "c");
});
