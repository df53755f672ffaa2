// The cache: sums, assumed pods, nodes that come and go.

import { node, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { SchedulerCache } from "./cache.js";
import { podInfoOf } from "./framework/pod-info.js";

const asking = (name: string, cpu: string, nodeName?: string) =>
  pod(name, { spec: { nodeName, containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }] } });

test("assumed pods count at once, are confirmed, corrected or forgotten", (t) => {
  const cache = new SchedulerCache();
  cache.setNode(node("a"));
  cache.setNode(node("b"));
  const cpu = (name: string) => cache.get(name)?.requested.get("cpu") ?? 0;
  const info = podInfoOf(asking("p", "500m"));
  const { uid } = info.pod.metadata;
  cache.assume(info, "a");
  t.ok(cache.isAssumed(uid));
  t.equal(cpu("a"), 500);
  cache.forget(uid);
  t.equal(cpu("a"), 0);

  cache.assume(info, "a");
  cache.addPod(asking("p", "500m", "b"));
  t.equal(cpu("a"), 0);
  t.equal(cpu("b"), 500, "the API's word counts");
  cache.forget(uid);
  t.equal(cpu("b"), 500, "what is confirmed is not forgotten");
  cache.addPod(asking("p", "200m", "b"));
  t.equal(cpu("b"), 200);
  cache.removePod(uid);
  t.equal(cpu("b"), 0);
  t.equal(cache.get("b")?.pods.size, 0);
  t.end();
});

test("pods may come before their node and outlive it", (t) => {
  const cache = new SchedulerCache();
  cache.addPod(asking("p", "1", "late"));
  t.same(cache.nodes, []);
  t.equal(cache.get("late"), undefined);
  cache.setNode(node("late"));
  t.equal(cache.get("late")?.requested.get("cpu"), 1000);
  cache.removeNode("late");
  t.same(cache.nodes, []);
  cache.setNode(node("late"));
  t.equal(cache.get("late")?.requested.get("cpu"), 1000);
  cache.removeNode("late");
  cache.removePod("uid-pod-p");
  cache.setNode(node("late"));
  t.equal(cache.get("late")?.pods.size, 0);
  t.end();
});
