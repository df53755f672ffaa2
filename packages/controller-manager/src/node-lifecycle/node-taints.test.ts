import type { NodeCondition, Taint } from "@picokube/api/core/v1";
import { node } from "@picokube/testing/builders";
import { test } from "tap";
import { desiredTaints, type Eviction, needsEviction } from "./node-taints.js";

const nowMs = Date.UTC(2026, 0, 1);
const key = (short: string) => `node.kubernetes.io/${short}`;

function text(taints: readonly Taint[] | undefined): string[] | undefined {
  return taints?.map((taint) => `${taint.key.replace("node.kubernetes.io/", "")}:${taint.effect}`).sort();
}

const table: {
  name: string;
  conditions: [type: string, status: string][];
  taints?: [key: string, effect: "NoSchedule" | "NoExecute"][];
  unschedulable?: boolean;
  eviction: Eviction;
  wanted: string[] | undefined;
}[] = [
  { name: "a healthy Node", conditions: [["Ready", "True"]], eviction: "hold", wanted: undefined },
  {
    name: "down, eviction allowed",
    conditions: [["Ready", "False"]],
    eviction: "allow",
    wanted: ["not-ready:NoExecute", "not-ready:NoSchedule"],
  },
  {
    name: "silent, eviction not yet",
    conditions: [["Ready", "Unknown"]],
    eviction: "hold",
    wanted: ["unreachable:NoSchedule"],
  },
  {
    name: "from down to silent: the taints are swapped without waiting",
    conditions: [["Ready", "Unknown"]],
    taints: [
      ["not-ready", "NoSchedule"],
      ["not-ready", "NoExecute"],
    ],
    eviction: "hold",
    wanted: ["unreachable:NoExecute", "unreachable:NoSchedule"],
  },
  {
    name: "all are down: eviction is taken back",
    conditions: [["Ready", "Unknown"]],
    taints: [
      ["unreachable", "NoSchedule"],
      ["unreachable", "NoExecute"],
    ],
    eviction: "forbid",
    wanted: ["unreachable:NoSchedule"],
  },
  {
    name: "back again; other people's taints stay",
    conditions: [["Ready", "True"]],
    taints: [
      ["unreachable", "NoSchedule"],
      ["unreachable", "NoExecute"],
      ["gpu", "NoSchedule"],
    ],
    eviction: "hold",
    wanted: ["gpu:NoSchedule"],
  },
  {
    name: "pressure and cordon",
    conditions: [
      ["Ready", "True"],
      ["MemoryPressure", "True"],
      ["DiskPressure", "False"],
      ["PIDPressure", "Unknown"],
      ["NetworkUnavailable", "True"],
    ],
    unschedulable: true,
    eviction: "hold",
    wanted: ["memory-pressure:NoSchedule", "network-unavailable:NoSchedule", "unschedulable:NoSchedule"],
  },
  {
    name: "not heard of yet: the taint of admission stays",
    conditions: [],
    taints: [["not-ready", "NoSchedule"]],
    eviction: "hold",
    wanted: undefined,
  },
];

test("desiredTaints", (t) => {
  for (const { name, conditions, taints = [], unschedulable, eviction, wanted } of table) {
    const subject = node("n", {
      spec: {
        taints: taints.map(([short, effect]) => ({ key: key(short), effect })),
        ...(unschedulable ? { unschedulable } : {}),
      },
      status: { conditions: conditions.map(([type, status]) => ({ type, status }) as NodeCondition) },
    });
    t.strictSame(text(desiredTaints(subject, { eviction, nowMs })), wanted, name);
  }
  t.end();
});

test("taints carry the time they were added", (t) => {
  const down = node("n", { status: { conditions: [{ type: "Ready", status: "False" }] } });
  t.equal(desiredTaints(down, { eviction: "hold", nowMs })?.[0]?.timeAdded, "2026-01-01T00:00:00Z");
  t.ok(needsEviction(down));
  t.notOk(needsEviction(node("up")));
  t.end();
});
