import type { Pod } from "@picokube/api/core/v1";
import type { StatusError } from "@picokube/api/errors";
import { type PodDisruptionBudget, poddisruptionbudgets } from "@picokube/api/policy/v1";
import { object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { budgetRefusal, budgetsOf, needsNoBudget, unreadyMayGo, withDisruptedPod } from "./disruption-budget.js";

type Status = NonNullable<PodDisruptionBudget["status"]>;
const budget = (status: Partial<Status>, spec: object = {}): PodDisruptionBudget =>
  object(poddisruptionbudgets, "web", {
    metadata: { generation: 2 },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    status: {
      observedGeneration: 2,
      disruptionsAllowed: 0,
      currentHealthy: 2,
      desiredHealthy: 2,
      expectedPods: 2,
      ...status,
    },
  });
const condition = (reason: string, message: string) => ({
  conditions: [
    {
      type: "DisruptionAllowed",
      status: "False" as const,
      reason,
      message,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    },
  ],
});

test("a budget refuses in upstream's words", async (t) => {
  const words = "The disruption budget web does not allow evicting pods currently";
  const table: { name: string; of: PodDisruptionBudget; code?: number; cause?: string; retry?: number }[] = [
    { name: "allowed", of: budget({ disruptionsAllowed: 1 }) },
    {
      name: "not yet seen",
      of: budget({ disruptionsAllowed: 1, observedGeneration: 1 }),
      code: 429,
      cause: "The disruption budget web is still being processed by the server.",
      retry: 10,
    },
    { name: "negative", of: budget({ disruptionsAllowed: -1 }), code: 403 },
    {
      name: "too few",
      of: budget({ currentHealthy: 1 }),
      code: 429,
      cause: "The disruption budget web needs 2 healthy pods and has 1 currently",
    },
    {
      name: "the numbers mean nothing",
      of: budget(condition("SyncFailed", "jobs.batch does not implement the scale subresource")),
      code: 429,
      cause: `${words} because it failed sync: jobs.batch does not implement the scale subresource`,
    },
    { name: "healthy, but none", of: budget({ currentHealthy: 3 }), code: 429, cause: words },
    {
      name: "healthy, but told why not",
      of: budget({ currentHealthy: 3, ...condition("Mine", "not today") }),
      code: 429,
      cause: `${words} (Mine): not today`,
    },
  ];
  for (const { name, of, code, cause, retry } of table) {
    const refused = budgetRefusal(of) as StatusError | undefined;
    t.equal(refused?.code, code, name);
    if (code === 429) {
      t.equal(refused!.message, "Cannot evict pod as it would violate the pod's disruption budget.");
      t.strictSame(refused!.details?.causes, [{ reason: "DisruptionBudget", message: cause }], name);
      t.equal(refused!.details?.retryAfterSeconds, retry, name);
    }
  }
  const many = Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`p${i}`, "2026-01-01T00:00:00Z"]));
  t.equal(
    budgetRefusal(budget({ disruptionsAllowed: 1, disruptedPods: many }))?.message,
    'poddisruptionbudget.policy "web" is forbidden: DisruptedPods map too big - too many evictions not confirmed by PDB controller',
  );
});

test("what is taken is written down", async (t) => {
  const nowMs = Date.parse("2026-01-01T01:00:00Z");
  t.match(withDisruptedPod(budget({ disruptionsAllowed: 2 }), "web-0", nowMs).status, {
    disruptionsAllowed: 1,
    disruptedPods: { "web-0": "2026-01-01T01:00:00Z" },
    conditions: undefined,
  });
  t.match(withDisruptedPod(budget({ disruptionsAllowed: 1 }), "web-0", nowMs).status, {
    disruptionsAllowed: 0,
    conditions: [{ type: "DisruptionAllowed", status: "False", reason: "InsufficientPods", observedGeneration: 2 }],
  });
});

test("whom a budget protects", async (t) => {
  const of = (phase: "Pending" | "Running" | "Failed", ready: boolean, metadata: object = {}): Pod =>
    pod("web-0", {
      metadata: { labels: { app: "web" }, ...metadata },
      status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
    });
  t.notOk(needsNoBudget(of("Running", true)));
  t.ok(needsNoBudget(of("Pending", false)));
  t.ok(needsNoBudget(of("Failed", false)));
  t.ok(needsNoBudget(of("Running", true, { deletionTimestamp: "2026-01-01T00:00:00Z" })));
  t.equal(
    budgetsOf(of("Running", true), [
      budget({}),
      budget({}, { selector: {} }),
      budget({}, { selector: { matchLabels: { app: "x" } } }),
    ]).length,
    2,
  );
  t.notOk(unreadyMayGo(of("Running", true), budget({})));
  t.ok(unreadyMayGo(of("Running", false), budget({})), "enough others are healthy");
  t.notOk(unreadyMayGo(of("Running", false), budget({ currentHealthy: 1 })));
  t.notOk(unreadyMayGo(of("Running", false), budget({ currentHealthy: 0, desiredHealthy: 0 })));
  t.ok(
    unreadyMayGo(of("Running", false), budget({ currentHealthy: 1 }, { unhealthyPodEvictionPolicy: "AlwaysAllow" })),
  );
});
