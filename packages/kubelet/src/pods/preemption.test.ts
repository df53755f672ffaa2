// Who makes room for a critical pod: as few as can be, as small as can be, and never one that is as critical.

import type { Container, Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import type { Shortage } from "./admission.js";
import { testPod } from "./observed.js";
import { podsToPreempt } from "./preemption.js";

interface Fields {
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
  readonly priority?: number;
}

function pod(name: string, { requests, limits, priority }: Fields = {}): Pod {
  const resources: Container["resources"] = { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) };
  const found = testPod({ containers: [{ name: "c", image: "i", resources }], ...(priority ? { priority } : {}) });
  return { ...found, metadata: { ...found.metadata, name } };
}

const critical = pod("critical", { priority: 2_000_000_000 });
const lacks = (resource: string, amount: number): Shortage => ({ resource, requested: amount, used: 5, capacity: 5 });
const mi = 1024 * 1024;
const small = pod("small", { requests: { cpu: "100m", memory: "100Mi" } });
const middle = pod("middle", { requests: { cpu: "300m", memory: "300Mi" } });
const large = pod("large", { requests: { cpu: "600m", memory: "600Mi" } });
const both = { cpu: "300m", memory: "300Mi" };
const guaranteed = pod("guaranteed", { requests: both, limits: both });
const bestEffort = pod("best-effort");
const vip = pod("vip", { requests: { cpu: "4", memory: "4Gi" }, priority: 2_000_001_000 });

test("podsToPreempt", async (t) => {
  const all = [guaranteed, large, middle, small, bestEffort, vip];
  const table: [string, Pod[], Shortage[], string[]][] = [
    ["the smallest that is enough", all, [lacks("cpu", 100)], ["small"]],
    ["one is better than two", all, [lacks("cpu", 250)], ["middle"]],
    ["two, when one is not enough", all, [lacks("cpu", 800)], ["large", "middle"]],
    [
      "a guaranteed pod only when all others are not enough",
      all,
      [lacks("cpu", 1100)],
      ["large", "middle", "guaranteed"],
    ],
    ["a place costs a best-effort pod", all, [lacks("pods", 1)], ["best-effort"]],
    ["both resources at once", all, [lacks("cpu", 50), lacks("memory", 500 * mi)], ["large"]],
  ];
  for (const [name, others, shortages, expected] of table) {
    const chosen = podsToPreempt(critical, others, shortages).map(({ metadata }) => metadata.name);
    t.same(chosen.sort(), expected.sort(), name);
  }
});

test("not even all would be enough", async (t) => {
  const words =
    "preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 900), ]";
  t.throws(() => podsToPreempt(critical, [small, vip], [lacks("cpu", 1000)]), { message: words });
});

test("a more critical pod may push a critical one", async (t) => {
  const node = pod("node", { priority: 2_000_001_000 });
  const cluster = pod("cluster", { requests: { cpu: "1" }, priority: 2_000_000_000 });
  t.same(podsToPreempt(node, [cluster], [lacks("cpu", 500)]), [cluster]);
  t.throws(() => podsToPreempt(cluster, [node], [lacks("cpu", 500)]));
});
