import type { Pod } from "@picokube/api/core/v1";
import { type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import { type Overrides, object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import {
  budgetStatus,
  countHealthy,
  disruptedPods,
  expectationOf,
  failedStatus,
  needsScale,
  selectorText,
} from "./budget-status.js";
import { staleInMs } from "./stale-disruption.js";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
type Spec = Partial<NonNullable<PodDisruptionBudget["spec"]>>;
const budget = (spec: Spec, status?: object): PodDisruptionBudget =>
  object(poddisruptionbudgets, "web", { metadata: { generation: 4 }, spec, status } as Overrides<PodDisruptionBudget>);

function podOf(name: string, { ready = true, ending = false } = {}): Pod {
  return pod(name, {
    metadata: ending ? { deletionTimestamp: "2026-01-01T00:59:00Z" } : {},
    status: { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  });
}

test("how many pods there should be, and be well", async (t) => {
  const table: { spec: Spec; scale: number; wanted: [expected: number, healthy: number]; asks: boolean }[] = [
    { spec: { minAvailable: 2 }, scale: 9, wanted: [3, 2], asks: false },
    { spec: { minAvailable: "50%" }, scale: 5, wanted: [5, 3], asks: true },
    { spec: { minAvailable: "100%" }, scale: 5, wanted: [5, 5], asks: true },
    { spec: { maxUnavailable: 1 }, scale: 5, wanted: [5, 4], asks: true },
    { spec: { maxUnavailable: "30%" }, scale: 5, wanted: [5, 3], asks: true },
    { spec: { maxUnavailable: 7 }, scale: 5, wanted: [5, 0], asks: true },
    { spec: { maxUnavailable: 0 }, scale: 5, wanted: [5, 5], asks: true },
    { spec: {}, scale: 5, wanted: [0, 0], asks: false },
  ];
  for (const { spec, scale, wanted, asks } of table) {
    const { expectedPods, desiredHealthy } = expectationOf(budget(spec), { pods: 3, scale });
    t.strictSame([expectedPods, desiredHealthy], wanted, JSON.stringify(spec));
    t.equal(needsScale(budget(spec)), asks);
  }
});

test("evictions under way count as gone, for two minutes", async (t) => {
  const pods = [podOf("a"), podOf("b"), podOf("c", { ready: false }), podOf("d", { ending: true }), podOf("e")];
  const late = "2026-01-01T00:57:00Z";
  const under = { a: "2026-01-01T00:58:30Z", b: late, d: "2026-01-01T00:59:59Z", gone: "2026-01-01T00:59:59Z" };
  const disrupted = disruptedPods(budget({}, { disruptedPods: under }), pods, nowMs);
  t.strictSame(disrupted.pods, { a: under.a });
  t.equal(disrupted.recheckAfterMs, 30_000);
  t.strictSame(
    disrupted.overdue.map(({ metadata }) => metadata.name),
    ["b"],
  );
  t.equal(countHealthy(pods, disrupted), 2, "b and e");
});

test("status and its condition", async (t) => {
  const disrupted = { pods: {}, overdue: [] };
  const counted = { expectedPods: 3, desiredHealthy: 2, currentHealthy: 3, disrupted, nowMs };
  const first = budgetStatus(budget({}), counted);
  t.match(first, {
    disruptionsAllowed: 1,
    observedGeneration: 4,
    conditions: [
      { type: "DisruptionAllowed", status: "True", reason: "SufficientPods", message: "", observedGeneration: 4 },
    ],
  });
  const later = nowMs + 60_000;
  const same = budgetStatus(budget({}, first), { ...counted, currentHealthy: 9, nowMs: later });
  t.equal(same.conditions?.[0]?.lastTransitionTime, "2026-01-01T01:00:00Z");
  const none = budgetStatus(budget({}, first), { ...counted, currentHealthy: 1, nowMs: later });
  t.match(none, { disruptionsAllowed: 0, conditions: [{ status: "False", reason: "InsufficientPods" }] });
  t.equal(none.conditions?.[0]?.lastTransitionTime, "2026-01-01T01:01:00Z");
  t.equal(budgetStatus(budget({}), { ...counted, expectedPods: 0 }).disruptionsAllowed, 0, "no pods, no leave");
  t.match(failedStatus(budget({}, first), new Error("jobs.batch does not"), later), {
    disruptionsAllowed: 0,
    currentHealthy: 3,
    conditions: [{ status: "False", reason: "SyncFailed", message: "jobs.batch does not" }],
  });
});

test("a selector as Go prints it", async (t) => {
  const matchExpressions = [{ key: "tier", operator: "In" as const, values: ["x", "y"] }];
  t.equal(
    selectorText({ matchLabels: { b: "2", a: "1" }, matchExpressions }),
    "&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[x y],},},}",
  );
});

test("a disruption that never came is taken back", async (t) => {
  const marked = (condition: object, metadata: object = {}, phase: "Running" | "Failed" = "Running") => {
    const conditions = [
      { type: "DisruptionTarget", status: "True" as const, reason: "EvictionByEvictionAPI", ...condition },
    ];
    return pod("a", { metadata, status: { phase, conditions } });
  };
  const since = (lastTransitionTime: string) => ({ lastTransitionTime });
  t.equal(staleInMs(marked(since("2026-01-01T00:59:00Z")), nowMs), 60_000);
  t.equal(staleInMs(marked(since("2026-01-01T00:50:00Z")), nowMs), 0);
  t.equal(staleInMs(marked({ status: "False" }), nowMs), undefined);
  t.equal(staleInMs(marked({ reason: "TerminationByKubelet" }), nowMs), undefined);
  t.equal(staleInMs(marked({}, { deletionTimestamp: "2026-01-01T00:59:00Z" }), nowMs), undefined);
  t.equal(staleInMs(marked({}, {}, "Failed"), nowMs), undefined);
  t.equal(staleInMs(pod("b"), nowMs), undefined);
});
