// The whole scheduler against a real apiserver: it binds, says why it cannot, tries again when something changes, and
// lets go of what it assumed. The test plays the kubelet's part of the nodes.

import { setMaxListeners } from "node:events";
import { events, nodes, pods, serviceaccounts } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
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

const clock = realClock();
const namespace = "default";

async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const endMs = clock.now() + 20_000;
  while (clock.now() < endMs) {
    const found = await look();
    if (found) return found;
    await clock.sleep(30);
  }
  throw new Error(`not within 20 s: ${what}`);
}

async function startScheduler(t: Test) {
  const server = await startApiServer(t);
  const { client } = server.as("kube-scheduler");
  // The ServiceAccount controller is not here.
  await server.client.create(serviceaccounts, { metadata: { name: "default", namespace } });
  const logger = createLogger({ write() {} });
  const informers = createInformerFactory({ client, logger, clock });
  const { profiles } = await readConfiguration(undefined);
  const lookups = createLookups(informers);
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
