// Budgets and evictions against a real apiserver: the test plays the kubelet, on a clock that it moves.

import { daemonsets, deployments, replicasets, statefulsets } from "@picokube/api/apps/v1";
import { events, type Pod, pods, replicationcontrollers } from "@picokube/api/core/v1";
import { StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { podCondition } from "@picokube/api/pod";
import { type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import type { Resource } from "@picokube/api/resource";
import { formatTime } from "@picokube/api/time";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { disruptionController } from "./disruption-controller.js";

const namespace = "default";
const containers = [{ name: "web", image: "nginx" }];

function harness(t: Test, { client }: TestApiServer) {
  const clock = steppingClock(Date.now());
  runControllers(t, { client, create: [serviceAccountController] });
  runControllers(t, { client, create: [disruptionController], clock });

  // A sync that lost a race waits on this clock for its next try.
  const retries = () => clock.advance(10);

  const setReady = (name: string, ready: boolean) => {
    const lastTransitionTime = formatTime(clock.now());
    const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
    const status = { phase: "Running", conditions };
    return client.patch(pods, { name, namespace }, { status }, { type: "strategic", subresource: "status" });
  };

  async function makePods(app: string, names: readonly string[], owner?: { object: KubernetesObject; of: Resource }) {
    for (const name of names) {
      const ownerReferences = owner ? [controllerRef(owner.object, owner.of)] : [];
      const metadata = { name, namespace, labels: { app }, ownerReferences };
      // Pods are refused until their namespace has its ServiceAccount.
      await eventually("the pod is let in", () =>
        client.create(pods, { metadata, spec: { containers, nodeName: "n1" } }).catch(() => undefined),
      );
      await setReady(name, true);
    }
  }

  const makeBudget = (app: string, spec: Partial<NonNullable<PodDisruptionBudget["spec"]>>) =>
    client.create(poddisruptionbudgets, {
      metadata: { name: app, namespace },
      spec: { selector: { matchLabels: { app } }, ...spec },
    });
  const statusOf = (
    name: string,
    what: string,
    check: (status: NonNullable<PodDisruptionBudget["status"]>) => boolean,
  ) =>
    eventually(`${name}: ${what}`, async () => {
      await retries();
      const { status, metadata } = await client.get(poddisruptionbudgets, { name, namespace });
      return status?.observedGeneration === metadata.generation && check(status!) && status!;
    });
  const evict = (name: string, deleteOptions: object = {}): Promise<StatusError | undefined> =>
    client
      .createSubresource(pods, { name, namespace }, "eviction", {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace },
        deleteOptions,
      })
      .then(
        () => undefined,
        (error: unknown) => {
          if (error instanceof StatusError) return error;
          throw error;
        },
      );
  return { clock, retries, setReady, makePods, makeBudget, statusOf, evict };
}

test("evictions as far as the budget goes, and no further", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { clock, makePods, makeBudget, statusOf, evict, setReady } = harness(t, server);
  await makePods("web", ["web-0", "web-1", "web-2"]);
  await makeBudget("web", { minAvailable: 2 });
  const full = await statusOf("web", "one may go", (status) => status.disruptionsAllowed === 1);
  t.match(full, { currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 });
  t.match(full.conditions, [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods" }]);

  t.equal(await evict("web-0", { gracePeriodSeconds: 30 }), undefined);
  const ending = await client.get(pods, { name: "web-0", namespace });
  t.ok(ending.metadata.deletionTimestamp);
  t.match(podCondition(ending.status, "DisruptionTarget"), {
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
  });
  const refused = await evict("web-1");
  t.match(refused, { code: 429, reason: "TooManyRequests" });
  t.equal(refused?.message, "Cannot evict pod as it would violate the pod's disruption budget.");
  t.match(refused?.details?.causes, [{ reason: "DisruptionBudget" }]);
  await statusOf(
    "web",
    "none may go",
    ({ disruptionsAllowed, currentHealthy, disruptedPods }) =>
      disruptionsAllowed === 0 && currentHealthy === 2 && Object.keys(disruptedPods ?? {}).length === 0,
  );
  t.match((await evict("web-1"))?.details?.causes, [
    { message: "The disruption budget web needs 2 healthy pods and has 2 currently" },
  ]);
  t.equal(await evict("web-0"), undefined, "one that ends already asks nobody");

  await client.delete(pods, { name: "web-0", namespace }, { gracePeriodSeconds: 0 });
  await makePods("web", ["web-3"]);
  await statusOf("web", "one may go again", (status) => status.disruptionsAllowed === 1);
  await setReady("web-3", false);
  await statusOf("web", "none may go", (status) => status.currentHealthy === 2);
  t.equal(await evict("web-3"), undefined, "an unready one costs nothing while enough others are ready");

  const waiting = { name: "web-4", namespace };
  await client.create(pods, {
    metadata: { ...waiting, labels: { app: "web" } },
    spec: { containers, nodeName: "n1" },
  });
  const uid = "00000000-0000-0000-0000-000000000000";
  t.match(await evict("web-4", { preconditions: { uid } }), { code: 409 }, "another pod was meant");
  t.equal(await evict("web-4"), undefined, "one that waits goes without leave");
  t.ok((await client.get(pods, waiting)).metadata.deletionTimestamp);

  const stale = [{ type: "DisruptionTarget", status: "True", reason: "EvictionByEvictionAPI" }];
  const marked = stale.map((condition) => ({ ...condition, lastTransitionTime: formatTime(clock.now()) }));
  await client.patch(
    pods,
    { name: "web-1", namespace },
    { status: { conditions: marked } },
    { type: "strategic", subresource: "status" },
  );
  await eventually("the condition is taken back after two minutes", async () => {
    await clock.advance(10_000);
    const pod: Pod = await client.get(pods, { name: "web-1", namespace });
    return podCondition(pod.status, "DisruptionTarget")?.status === "False";
  });
});

test("an eviction that ends nothing is forgotten after two minutes", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { clock, makePods, makeBudget, statusOf } = harness(t, server);
  await makePods("web", ["web-0", "web-1"]);
  const budget = await makeBudget("web", { minAvailable: 1 });
  await statusOf("web", "one may go", (status) => status.disruptionsAllowed === 1);
  const status = { disruptionsAllowed: 0, disruptedPods: { "web-0": formatTime(clock.now()) } };
  const name = { name: budget.metadata.name, namespace };
  await client.patch(poddisruptionbudgets, name, { status }, { type: "merge", subresource: "status" });
  await statusOf("web", "it counts as gone", (now) => now.currentHealthy === 1 && now.disruptionsAllowed === 0);
  await eventually("it counts again", async () => {
    await clock.advance(10_000);
    const { status: now } = await client.get(poddisruptionbudgets, name);
    return now?.currentHealthy === 2 && now.disruptionsAllowed === 1 && !now.disruptedPods?.["web-0"];
  });
  await eventually("and somebody is told", async () => {
    const { items } = await client.list(events, { namespace, fieldSelector: "involvedObject.kind=Pod" });
    return items.some(({ reason, message }) => reason === "NotDeleted" && message!.includes("PDB default/web"));
  });
});

test("percentages are of what the owners want; an owner without a size allows nothing", async (t) => {
  const server = await startApiServer(t);
  const { client } = server;
  const { retries, makePods, makeBudget, statusOf, evict } = harness(t, server);
  const specOf = (app: string) => ({
    replicas: 4,
    selector: { matchLabels: { app } },
    template: { metadata: { labels: { app } }, spec: { containers } },
  });
  const make = <T extends KubernetesObject>(of: Resource<T>, app: string, extra: object = {}) =>
    client.create(
      of as Resource,
      {
        metadata: { name: app, namespace },
        spec: { ...specOf(app), ...extra },
      } as never,
    ) as Promise<T>;
  const deployment = await make(deployments, "deployed");
  const replicaSet = await client.create(replicasets, {
    metadata: { name: "deployed-1", namespace, ownerReferences: [controllerRef(deployment, deployments)] },
    spec: { ...specOf("deployed"), replicas: 1 },
  });
  const owners: { app: string; object: KubernetesObject; of: Resource }[] = [
    { app: "deployed", object: replicaSet, of: replicasets },
    { app: "alone", object: await make(replicasets, "alone"), of: replicasets },
    { app: "stateful", object: await make(statefulsets, "stateful", { serviceName: "" }), of: statefulsets },
    {
      app: "old",
      object: await make(replicationcontrollers, "old", { selector: { app: "old" } }),
      of: replicationcontrollers,
    },
  ];
  for (const { app, ...owner } of owners) {
    await makePods(app, [`${app}-a`, `${app}-b`, `${app}-c`], owner);
    await makeBudget(app, { maxUnavailable: "50%" });
    const status = await statusOf(app, "a half of four", (now) => now.disruptionsAllowed === 1);
    t.match(status, { expectedPods: 4, desiredHealthy: 2, currentHealthy: 3 }, app);
  }

  const { replicas: _, ...daemon } = specOf("daemon");
  const object = await client.create(daemonsets, { metadata: { name: "daemon", namespace }, spec: daemon });
  await makePods("daemon", ["daemon-a"], { object, of: daemonsets });
  const made = await makeBudget("daemon", { maxUnavailable: 1 });
  t.equal(made.metadata.generation, 1);
  await eventually("the sync has failed", async () => {
    await retries();
    const { status } = await client.get(poddisruptionbudgets, { name: "daemon", namespace });
    return status?.conditions?.[0]?.message === "daemonsets.apps does not implement the scale subresource";
  });
  await makePods("free", ["free-a"]);
  await makeBudget("free", { maxUnavailable: 1 });
  await eventually("pods without an owner are told of", async () => {
    await retries();
    const { items } = await client.list(events, { namespace, fieldSelector: "involvedObject.name=free" });
    return items.some(({ reason }) => reason === "UnmanagedPods");
  });
  await makeBudget("second", { selector: { matchLabels: { app: "free" } }, minAvailable: 0 });
  await statusOf("second", "seen", () => true);
  const two = await evict("free-a");
  t.equal(two?.code, 500);
  t.match(
    two?.message,
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
  );
});
