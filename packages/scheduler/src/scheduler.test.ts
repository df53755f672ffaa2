// The whole scheduler against a real apiserver: it binds, says why it cannot, tries again when something changes, and
// lets go of what it assumed. The test plays the kubelet's part of the nodes.

import { setMaxListeners } from "node:events";
import { events, nodes, persistentvolumeclaims, persistentvolumes, pods, serviceaccounts } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { storageclasses } from "@picokube/api/storage/v1";
import type { Client } from "@picokube/client/client";
import { createEventRecorder } from "@picokube/client/event-recorder";
import { createInformerFactory } from "@picokube/client/shared-informer";
import { realClock } from "@picokube/component-base/clock";
import { createLogger } from "@picokube/component-base/logger";
import { createMetrics } from "@picokube/component-base/metrics";
import { startApiServer } from "@picokube/testing/apiserver";
import { type Test, test } from "tap";
import { AttemptLog } from "./attempt-log.js";
import { readConfiguration } from "./configuration.js";
import { createLookups } from "./lookups.js";
import { createScheduler, type Profile } from "./scheduler.js";
import { createSchedulerMetrics } from "./scheduler-metrics.js";
import { createVolumeBinder } from "./volumes/volume-binder.js";

const clock = realClock();
const namespace = "default";

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const endMs = clock.now() + 60_000;
  while (clock.now() < endMs) {
    const found = await look();
    if (found) return found;
    await clock.sleep(30);
  }
  throw new Error(`not within 60 s: ${what}`);
}

async function startScheduler(t: Test) {
  const server = await startApiServer(t);
  const { client } = server.as("kube-scheduler");
  // The ServiceAccount controller is not here.
  await server.client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  const logger = createLogger({ write() {} });
  const informers = createInformerFactory({ client, logger, clock });
  const { profiles } = await readConfiguration(undefined);
  const lookups = createLookups(informers, createVolumeBinder({ client, informers, clock }));
  const metrics = createMetrics();
  const scheduler = createScheduler({
    client,
    informers,
    profiles: new Map(
      profiles.map(({ schedulerName, percentageOfNodesToScore, plugins }): [string, Profile] => {
        const recorder = createEventRecorder({ client, component: schedulerName, clock });
        return [schedulerName, { schedulerName, percentageOfNodesToScore, recorder, plugins: plugins(lookups) }];
      }),
    ),
    initialBackoffMs: 20,
    maxBackoffMs: 200,
    attempts: new AttemptLog(),
    metrics: createSchedulerMetrics(metrics),
    clock,
    logger,
  });
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  informers.start(stop.signal);
  const running = scheduler.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    await running.catch(() => {});
  });
  const value = async (series: string) => {
    const line = (await metrics.render()).split("\n").find((each) => each.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length));
  };
  return { client: server.client, value };
}

const create = (client: Client, name: string, cpu: string) =>
  client.create(pods, {
    metadata: { name, namespace },
    spec: { containers: [{ name: "main", image: "busybox", resources: { requests: { cpu } } }] },
  });

async function addNode(client: Client, name: string, cpu: string): Promise<void> {
  await client.create(nodes, { metadata: { name, labels: { "kubernetes.io/hostname": name } } });
  const status = {
    capacity: { cpu, memory: "4Gi", pods: "110" },
    allocatable: { cpu, memory: "4Gi", pods: "110" },
    conditions: [{ type: "Ready", status: "True" }],
  };
  await client.patch(nodes, { name }, { status }, { type: "merge", subresource: "status" });
  // The admission plugin TaintNodesByCondition marks a new node; the node lifecycle controller would take it away.
  await client.patch(nodes, { name }, { spec: { taints: null } }, { type: "merge" });
}

test("a pod waits with a reason, is bound when a node comes, and its room is free again when it goes", async (t) => {
  const { client, value } = await startScheduler(t);
  const get = (name: string) => client.get(pods, { name, namespace });
  const bound = (name: string, node: string) =>
    eventually(`${name} on ${node}`, async () => (await get(name)).spec?.nodeName === node);
  const told = (name: string, reason: string) =>
    eventually(`${reason} of ${name}`, async () => {
      const selector = `involvedObject.name=${name},reason=${reason}`;
      return (await client.list(events, { namespace, fieldSelector: selector })).items.at(-1)?.message;
    });

  await create(client, "first", "800m");
  const waiting = await eventually("its condition", async () =>
    podCondition((await get("first")).status, "PodScheduled"),
  );
  t.match(waiting, { status: "False", reason: "Unschedulable", message: /^no nodes available to schedule pods/ });
  t.equal(await value('scheduler_pending_pods{queue="unschedulable"}'), 1);

  await addNode(client, "small", "1");
  await bound("first", "small");
  t.equal(await told("first", "Scheduled"), "Successfully assigned default/first to small");
  t.equal(podCondition((await get("first")).status, "PodScheduled")?.status, "True");

  await create(client, "second", "800m");
  t.match(await told("second", "FailedScheduling"), /^0\/1 nodes are available: 1 Insufficient cpu\./);
  await eventually("the plugin that turned it down", async () => {
    const series = 'scheduler_unschedulable_pods{plugin="NodeResourcesFit",profile="default-scheduler"}';
    return (await value(series)) === 1;
  });
  await client.delete(pods, { name: "first", namespace }, { gracePeriodSeconds: 0 });
  await bound("second", "small");

  t.equal(await value('scheduler_schedule_attempts_total{profile="default-scheduler",result="scheduled"}'), 2);
  t.ok((await value('scheduler_schedule_attempts_total{profile="default-scheduler",result="unschedulable"}'))! >= 2);
  t.equal(await value("scheduler_pod_scheduling_attempts_count"), 2);
  t.ok((await value('scheduler_queue_incoming_pods_total{queue="active",event="UnschedulablePodAdd"}'))! >= 2);
  await eventually(
    "nobody assumed any more",
    async () => (await value('scheduler_cache_size{type="assumed_pods"}')) === 0,
  );
  t.equal(await value('scheduler_cache_size{type="nodes"}'), 1);

  // A node that is deleted and comes back: its pods still take their room.
  await client.delete(nodes, { name: "small" });
  await eventually("no node", async () => (await value('scheduler_cache_size{type="nodes"}')) === 0);
  await create(client, "late", "800m");
  await addNode(client, "small", "1");
  await eventually("late knows of second", async () => {
    const condition = podCondition((await get("late")).status, "PodScheduled");
    return condition?.message?.includes("1 Insufficient cpu");
  });
  await addNode(client, "spare", "1");
  await bound("late", "spare");
});

test("volumes: a pod's claims are bound on its node before it is, and a refusal is heard", async (t) => {
  const { client } = await startScheduler(t);
  const nodeOf = async (name: string) => (await client.get(pods, { name, namespace })).spec?.nodeName;
  const use = (name: string, ...claims: string[]) =>
    client.create(pods, {
      metadata: { name, namespace },
      spec: {
        containers: [{ name: "main", image: "busybox" }],
        volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
      },
    });
  const claimOf = (name: string) => client.get(persistentvolumeclaims, { name, namespace });
  const claim = (name: string, storageClassName: string) =>
    client.create(persistentvolumeclaims, {
      metadata: { name, namespace },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, storageClassName },
    });
  const told = (name: string, words: RegExp) =>
    eventually(`${words} of ${name}`, async () => {
      const fieldSelector = `involvedObject.name=${name},reason=FailedScheduling`;
      return (await client.list(events, { namespace, fieldSelector })).items.some(({ message }) =>
        words.test(message!),
      );
    });
  const volumeBindingMode = "WaitForFirstConsumer";
  await client.create(storageclasses, {
    metadata: { name: "made" },
    provisioner: "example.com/disk",
    volumeBindingMode,
  });
  await client.create(storageclasses, {
    metadata: { name: "manual" },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode,
  });
  await addNode(client, "a", "4");
  await addNode(client, "b", "4");

  await use("first", "data", "disk");
  await told("first", /persistentvolumeclaim "data" not found/);
  await claim("data", "made");
  await claim("disk", "manual");
  await told("first", /2 node\(s\) didn't find available persistent volumes to bind/);
  const values = ["b"];
  const matchExpressions = [{ key: "kubernetes.io/hostname", operator: "In" as const, values }];
  await client.create(persistentvolumes, {
    metadata: { name: "pv" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "2Gi" },
      storageClassName: "manual",
      local: { path: "/mnt" },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
    },
  });
  const setVolume = (name: string, patch: object, options = {}) =>
    client.patch(persistentvolumes, { name }, patch, { type: "merge", ...options });
  await setVolume("pv", { status: { phase: "Available" } }, { subresource: "status" });
  const reserved = await eventually("the volume is reserved", async () => {
    const found = await client.get(persistentvolumes, { name: "pv" });
    return found.spec?.claimRef && found;
  });
  t.match(reserved.spec?.claimRef, { name: "disk", namespace, uid: (await claimOf("disk")).metadata.uid });
  t.equal(reserved.metadata.annotations?.["pv.kubernetes.io/bound-by-controller"], "yes");
  await eventually("the provisioner is told the node", async () => {
    return (await claimOf("data")).metadata.annotations?.["volume.kubernetes.io/selected-node"] === "b";
  });
  t.equal(await nodeOf("first"), undefined, "not before its volumes are bound");

  // The provisioner cannot: it takes the node back.
  const annotate = (name: string, annotations: object, spec: object = {}) =>
    client.patch(persistentvolumeclaims, { name, namespace }, { metadata: { annotations }, spec }, { type: "merge" });
  await annotate("data", { "volume.kubernetes.io/selected-node": null, tried: "once" });
  await told("first", /^running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"$/);
  await eventually("the node is chosen again", async () => {
    return (await claimOf("data")).metadata.annotations?.["volume.kubernetes.io/selected-node"] === "b";
  });
  // The binder's part.
  const completed = { "pv.kubernetes.io/bind-completed": "yes" };
  await annotate("disk", completed, { volumeName: "pv" });
  t.equal(await nodeOf("first"), undefined);
  const { uid } = (await claimOf("data")).metadata;
  const claimRef = { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name: "data", uid };
  const spec = { accessModes: ["ReadWriteOnce" as const], capacity: { storage: "1Gi" }, hostPath: { path: "/x" } };
  await client.create(persistentvolumes, { metadata: { name: "made" }, spec: { ...spec, claimRef } });
  await annotate("data", completed, { volumeName: "made" });
  await eventually("first is bound", async () => (await nodeOf("first")) === "b");

  await client.create(persistentvolumes, { metadata: { name: "shared" }, spec });
  await claim("wanted", "made");
  await use("doomed", "wanted");
  await eventually("it waits for its volume", async () => {
    return (await claimOf("wanted")).metadata.annotations?.["volume.kubernetes.io/selected-node"] !== undefined;
  });
  await client.delete(pods, { name: "doomed", namespace }, { gracePeriodSeconds: 0 });
  await use("late", "data");
  await eventually("others go on", async () => (await nodeOf("late")) !== undefined);
});
