// What a ReplicaSet creates and deletes, by table.

import type { Pod } from "@picokube/api/core/v1";
import { pod, replicaSet } from "@picokube/testing/builders";
import { test } from "tap";
import { planReplicaSet, rankForDeletion, replicaSetStatus } from "./replicaset-plan.js";

const nowMs = Date.parse("2026-01-01T01:00:00Z");

function running(name: string, { nodeName = "n1", ready = true, since = "2026-01-01T00:00:00Z", cost = "" } = {}): Pod {
  return pod(name, {
    metadata: cost ? { annotations: { "controller.kubernetes.io/pod-deletion-cost": cost } } : {},
    spec: { nodeName },
    status: {
      phase: "Running",
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }],
    },
  });
}
const names = (list: readonly Pod[]) => list.map(({ metadata }) => metadata.name);

test("creates what is missing, at most 500 at once", async (t) => {
  const plan = (desired: number, active: Pod[]) => planReplicaSet({ desired, active, related: active, nowMs });
  t.strictSame(plan(3, [running("a")]), { create: 2, delete: [] });
  t.equal(plan(2000, []).create, 500);
  t.strictSame(plan(1, [running("a")]), { create: 0, delete: [] });
  t.strictSame(names(plan(0, [running("a")]).delete), ["a"]);
});

test("the pod that is missed least goes first", async (t) => {
  const rank = (...pods: Pod[]) => names(rankForDeletion({ pods, related: pods, nowMs }));
  t.strictSame(rank(running("a"), pod("unscheduled")), ["unscheduled", "a"]);
  t.strictSame(rank(running("a"), pod("pending", { spec: { nodeName: "n1" } })), ["pending", "a"]);
  t.strictSame(rank(running("ready"), running("lame", { ready: false })), ["lame", "ready"]);
  t.strictSame(rank(running("dear", { cost: "10" }), running("cheap", { cost: "-5" })), ["cheap", "dear"]);
  t.strictSame(rank(running("alone", { nodeName: "n2" }), running("a"), running("b")).at(-1), "alone");
  t.strictSame(rank(running("old"), running("young", { since: "2026-01-01T00:59:59Z" })), ["young", "old"]);
  const restarted = (name: string, restartCount: number, sidecar = 0): Pod => {
    const status = { ready: true, image: "nginx", imageID: "", restartCount };
    const base = running(name);
    const initContainers = [{ name: "proxy", image: "nginx", restartPolicy: "Always" as const }];
    return {
      ...base,
      spec: { ...base.spec!, initContainers },
      status: {
        ...base.status,
        containerStatuses: [{ ...status, name: "main" }],
        initContainerStatuses: [{ ...status, name: "proxy", restartCount: sidecar }],
      },
    };
  };
  t.strictSame(rank(restarted("steady", 0), restarted("shaky", 7)), ["shaky", "steady"]);
  t.strictSame(rank(restarted("steady", 1), restarted("side", 1, 2)), ["side", "steady"]);
  const born = (name: string, creationTimestamp: string, uid: string) => ({
    ...running(name),
    metadata: { ...running(name).metadata, creationTimestamp, uid },
  });
  t.strictSame(rank(born("elder", "2026-01-01T00:00:00Z", "a"), born("child", "2026-01-01T00:59:50Z", "b")), [
    "child",
    "elder",
  ]);
  t.strictSame(
    rank(born("x", "2026-01-01T00:00:00Z", "b"), born("y", "2026-01-01T00:00:09Z", "a")),
    ["y", "x"],
    "about as old: the uid decides",
  );
});

test("status counts and tells of failures", async (t) => {
  const labels = { app: "web" };
  const active = [running("a"), running("b", { ready: false })].map((each) => ({
    ...each,
    metadata: { ...each.metadata, labels },
  }));
  const status = replicaSetStatus({
    owner: replicaSet("web"),
    active,
    failure: { reason: "FailedCreate", message: "quota" },
    nowMs,
  });
  t.match(status, {
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 1,
    availableReplicas: 1,
    observedGeneration: 1,
    conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" }],
  });
});
