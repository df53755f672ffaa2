import { pod } from "@picokube/testing/builders";
import { test } from "tap";
import { namespaceConditions, podsEstimateSeconds, remainsEstimateSeconds, requeueMs } from "./namespace-plan.js";

const nowMs = Date.UTC(2026, 0, 1);
const empty = {
  discoveryFailures: new Map<string, string>(),
  contentErrors: [],
  remaining: new Map<string, number>(),
  finalizers: new Map<string, number>(),
};

test("conditions of a pass that found nothing left", (t) => {
  const conditions = namespaceConditions({ report: empty, current: undefined, nowMs });
  t.strictSame(
    conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    [
      ["NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"],
      [
        "NamespaceDeletionGroupVersionParsingFailure",
        "False",
        "ParsedGroupVersions",
        "All legacy kube types successfully parsed",
      ],
      [
        "NamespaceDeletionContentFailure",
        "False",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
      ],
      ["NamespaceContentRemaining", "False", "ContentRemoved", "All content successfully removed"],
      ["NamespaceFinalizersRemaining", "False", "ContentHasNoFinalizers", "All content-preserving finalizers finished"],
    ],
  );
  t.end();
});

test("conditions of a pass that left something", (t) => {
  const report = {
    discoveryFailures: new Map([["metrics.k8s.io/v1beta1", "stale GroupVersion discovery: metrics.k8s.io/v1beta1"]]),
    contentErrors: ["first", "second"],
    remaining: new Map([
      ["pods.", 2],
      ["deployments.apps", 1],
    ]),
    finalizers: new Map([["example.com/keep", 1]]),
  };
  const messages = namespaceConditions({ report, current: undefined, nowMs })
    .filter(({ status }) => status === "True")
    .map(({ reason, message }) => `${reason}: ${message}`);
  t.strictSame(messages, [
    "DiscoveryFailed: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1",
    "ContentDeletionFailed: Failed to delete all resource types, 2 remaining: first, second",
    "SomeResourcesRemain: Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances",
    "SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances",
  ]);
  t.end();
});

test("a condition's transition time moves with its status only", (t) => {
  const before = namespaceConditions({ report: empty, current: undefined, nowMs });
  const report = { ...empty, remaining: new Map([["pods.", 1]]) };
  const after = namespaceConditions({ report, current: before, nowMs: nowMs + 60_000 });
  t.strictSame(
    after.filter(({ lastTransitionTime }) => lastTransitionTime !== "2026-01-01T00:00:00Z").map(({ type }) => type),
    ["NamespaceContentRemaining"],
  );
  t.end();
});

test("how long pods may take", (t) => {
  const graceful = pod("a", { spec: { terminationGracePeriodSeconds: 30 } });
  const longer = pod("b", { spec: { terminationGracePeriodSeconds: 60 } });
  const finished = pod("c", { spec: { terminationGracePeriodSeconds: 90 }, status: { phase: "Succeeded" } });
  const at = (agoMs: number) => ({ deletedAtMs: nowMs - agoMs, nowMs });
  t.equal(podsEstimateSeconds([graceful, longer, finished], at(0)), 60);
  t.equal(podsEstimateSeconds([graceful], at(30_000)), 0, "the time is over");
  t.equal(podsEstimateSeconds([], at(0)), 0);
  t.equal(remainsEstimateSeconds({ graceSeconds: 30, finalizerCount: 1 }), 30);
  t.equal(remainsEstimateSeconds({ graceSeconds: 0, finalizerCount: 1 }), 15);
  t.equal(remainsEstimateSeconds({ graceSeconds: 0, finalizerCount: 0 }), undefined);
  t.strictSame(
    [0, 1, 2, 3, 4, 5, 6].map((looks) => requeueMs({ estimateSeconds: 30, looks })),
    [500, 1000, 2000, 4000, 8000, 16_000, 16_000],
  );
  t.end();
});
