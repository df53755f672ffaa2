import type { Taint, Toleration } from "@picokube/api/core/v1";
import { pod } from "@picokube/testing/builders";
import { test } from "tap";
import { toleratedMs, tolerationStartMs } from "./taint-eviction-plan.js";

const unreachable: Taint = {
  key: "node.kubernetes.io/unreachable",
  effect: "NoExecute",
  timeAdded: "2026-01-01T12:00:00Z",
};
const maintenance: Taint = { key: "maintenance", value: "disk", effect: "NoExecute" };

test("toleratedMs", (t) => {
  const table: { name: string; taints: Taint[]; tolerations: Toleration[]; ms: number }[] = [
    { name: "no toleration", taints: [unreachable], tolerations: [], ms: 0 },
    { name: "NoSchedule ends nobody", taints: [{ key: "a", effect: "NoSchedule" }], tolerations: [], ms: Infinity },
    {
      name: "the default 300 s",
      taints: [unreachable],
      tolerations: [{ key: unreachable.key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 }],
      ms: 300_000,
    },
    {
      name: "everything for ever, as a DaemonSet's",
      taints: [unreachable, maintenance],
      tolerations: [{ operator: "Exists" }],
      ms: Infinity,
    },
    {
      name: "the shortest counts",
      taints: [unreachable, maintenance],
      tolerations: [
        { key: unreachable.key, operator: "Exists", tolerationSeconds: 300 },
        { key: "maintenance", value: "disk", tolerationSeconds: 10 },
      ],
      ms: 10_000,
    },
    {
      name: "another value",
      taints: [maintenance],
      tolerations: [{ key: "maintenance", operator: "Equal", value: "net" }],
      ms: 0,
    },
    {
      name: "another effect",
      taints: [maintenance],
      tolerations: [{ key: "maintenance", operator: "Exists", effect: "NoSchedule" }],
      ms: 0,
    },
    {
      name: "below zero is zero",
      taints: [maintenance],
      tolerations: [{ key: "maintenance", operator: "Exists", tolerationSeconds: -5 }],
      ms: 0,
    },
  ];
  for (const { name, taints, tolerations, ms } of table)
    t.equal(toleratedMs(pod("p", { spec: { tolerations } }), taints), ms, name);
  t.end();
});

test("time counts from the taint, or from the pod's arrival after it", (t) => {
  const nowMs = Date.UTC(2026, 0, 1, 13);
  const at = (lastTransitionTime: string) =>
    pod("p", { status: { conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime }] } });
  t.equal(tolerationStartMs(at("2026-01-01T11:00:00Z"), [unreachable], nowMs), Date.UTC(2026, 0, 1, 12));
  t.equal(tolerationStartMs(at("2026-01-01T12:30:00Z"), [unreachable], nowMs), Date.UTC(2026, 0, 1, 12, 30));
  t.equal(tolerationStartMs(at("2026-01-01T11:00:00Z"), [maintenance], nowMs), nowMs, "a taint without a time");
  t.end();
});
