import { node, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { planPodGc } from "./pod-gc-plan.js";

const deletionTimestamp = "2026-01-01T01:00:00Z";
const finished = (name: string, creationTimestamp: string, status: object = {}) =>
  pod(name, { metadata: { creationTimestamp }, status: { phase: "Succeeded", ...status } });

function plan(
  pods: ReturnType<typeof pod>[],
  { threshold = 12_500, gone = [] as string[], nodes = [node("up")] } = {},
) {
  const byName = new Map(nodes.map((each) => [each.metadata.name, each]));
  return planPodGc({ pods, nodes: byName, threshold, isGone: (name) => gone.includes(name) }).map(
    ({ pod: { metadata }, reason }) => `${metadata.name} ${reason}`,
  );
}

test("terminated pods above the threshold: evicted ones first, then the oldest", (t) => {
  const pods = [
    finished("young", "2026-01-03T00:00:00Z"),
    finished("old", "2026-01-01T00:00:00Z"),
    finished("evicted", "2026-01-04T00:00:00Z", { phase: "Failed", reason: "Evicted" }),
    pod("running", { status: { phase: "Running" } }),
  ];
  t.strictSame(plan(pods, { threshold: 1 }), ["evicted Terminated", "old Terminated"]);
  t.strictSame(plan(pods, { threshold: 3 }), []);
  t.strictSame(plan(pods, { threshold: 0 }), [], "0 keeps all");
  t.end();
});

test("pods without a node", (t) => {
  const pods = [
    pod("bound", { spec: { nodeName: "up" } }),
    pod("orphan", { spec: { nodeName: "gone" } }),
    pod("waiting"),
    pod("ended", { metadata: { deletionTimestamp } }),
    pod("ending", { metadata: { deletionTimestamp }, spec: { nodeName: "up" } }),
  ];
  t.strictSame(plan(pods, { gone: ["gone"] }), ["orphan Orphaned", "ended Unscheduled"]);
  t.strictSame(plan(pods), ["ended Unscheduled"], "a missing name is not gone until it is said to be");
  t.end();
});

test("a node that is out of service", (t) => {
  const taints = [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" as const }];
  const down = node("down", { spec: { taints }, status: { conditions: [{ type: "Ready", status: "Unknown" }] } });
  const still = node("still", { spec: { taints } });
  const pods = [
    pod("a", {
      metadata: { deletionTimestamp },
      spec: { nodeName: "down" },
      status: { conditions: [{ type: "Ready", status: "True" }] },
    }),
    pod("b", { spec: { nodeName: "down" } }),
    pod("c", { metadata: { deletionTimestamp }, spec: { nodeName: "still" } }),
  ];
  t.strictSame(plan(pods, { nodes: [down, still] }), ["a OutOfService"]);
  t.end();
});
