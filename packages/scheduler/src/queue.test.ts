// The scheduling queue: order, back-off, hints, and events that come while a pod is being tried.

import { node, pod } from "@picokube/testing/builders";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import type { ClusterEvent } from "./framework/plugin.js";
import { SchedulingQueue } from "./queue.js";

const never = new AbortController().signal;
const nodeEvent: ClusterEvent = { resource: "node", previous: undefined, current: node("n") };
const podEvent: ClusterEvent = { resource: "assignedPod", previous: pod("gone"), current: undefined };
const rejectors = new Set(["NodeName"]);

function setUp() {
  const clock = steppingClock();
  const queue = new SchedulingQueue({ clock, mayHelp: (_, __, event) => event.resource === "node" });
  const take = async () => (await queue.pop(never))!;
  return { clock, queue, take };
}

test("priority comes before age", async (t) => {
  const { clock, queue, take } = setUp();
  queue.add(pod("old"));
  await clock.advance(10);
  queue.add(pod("young"));
  queue.add(pod("important", { spec: { priority: 100 } }));
  const names = [];
  for (let i = 0; i < 3; i++) names.push((await take()).info.pod.metadata.name);
  t.same(names, ["important", "old", "young"]);
});

test("a pod that fails again and again waits 1, 2, 4, 8, 10, 10 seconds", async (t) => {
  const { clock, queue, take } = setUp();
  queue.add(pod("p"));
  for (const seconds of [1, 2, 4, 8, 10, 10]) {
    const queued = await take();
    queue.fail(queued, { pod: queued.info.pod, plugins: new Set() });
    await clock.advance(seconds * 1000 - 1);
    t.match(queue.sizes(), { active: 0, backoff: 1 }, `still waits after ${seconds} s less 1 ms`);
    await clock.advance(1);
    t.match(queue.sizes(), { active: 1, backoff: 0 });
  }
});

test("only events that may help bring an unschedulable pod back, and not before its back-off", async (t) => {
  const { clock, queue, take } = setUp();
  queue.add(pod("p"));
  const queued = await take();
  queue.fail(queued, { pod: queued.info.pod, plugins: rejectors });
  queue.move(podEvent);
  t.match(queue.sizes(), { unschedulable: 1 });
  queue.move(nodeEvent);
  t.match(queue.sizes(), { unschedulable: 0, backoff: 1 });
  await clock.advance(1000);
  t.match(queue.sizes(), { active: 1 });

  const again = await take();
  queue.fail(again, { pod: again.info.pod, plugins: rejectors });
  await clock.advance(2000);
  queue.move(nodeEvent);
  t.match(queue.sizes(), { active: 1 }, "its back-off is over already");
});

test("an event during the attempt is not lost", async (t) => {
  const { queue, take } = setUp();
  queue.add(pod("p"));
  const queued = await take();
  queue.move(podEvent);
  queue.move(nodeEvent);
  queue.fail(queued, { pod: queued.info.pod, plugins: rejectors });
  t.match(queue.sizes(), { unschedulable: 0, backoff: 1 });
});

test("after five minutes an unschedulable pod is tried all the same", async (t) => {
  const { clock, queue, take } = setUp();
  const controller = new AbortController();
  const running = queue.run(controller.signal);
  queue.add(pod("p"));
  const queued = await take();
  queue.fail(queued, { pod: queued.info.pod, plugins: rejectors });
  await clock.advance(5 * 60_000);
  t.match(queue.sizes(), { unschedulable: 1 });
  await clock.advance(30_000);
  t.match(queue.sizes(), { active: 1 });
  controller.abort();
  await running;
});

test("changes and deletions of waiting pods", async (t) => {
  const { queue, take } = setUp();
  const gated = pod("gated", { spec: { schedulingGates: [{ name: "wait" }] } });
  queue.add(gated);
  t.match(queue.sizes(), { gated: 1, active: 0 });
  queue.update(gated, pod("gated"));
  t.match(queue.sizes(), { gated: 0, active: 1 });
  const queued = await take();
  const before = queued.info.pod;
  queue.fail(queued, { pod: before, plugins: rejectors });
  queue.update(before, { ...before, status: { phase: "Pending", message: "x" } });
  t.match(queue.sizes(), { unschedulable: 1 }, "a status changes nothing");
  queue.update(before, { ...before, spec: { ...before.spec!, nodeSelector: { a: "b" } } });
  t.match(queue.sizes(), { unschedulable: 0, backoff: 1 });
  queue.delete(before.metadata.uid);
  t.same(queue.sizes(), { active: 0, backoff: 0, unschedulable: 0, gated: 0 });
});
