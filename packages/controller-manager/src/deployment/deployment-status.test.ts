// Conditions of a Deployment, with upstream's reasons.

import type { DeploymentStatus } from "@picokube/api/apps/v1";
import { deployment, replicaSet } from "@picokube/testing/builders";
import { test } from "tap";
import { findCondition } from "../conditions.js";
import { newReplicaSetAnnotations } from "./annotations.js";
import { deadlineCheckMs, rolloutStatus } from "./deployment-status.js";

const nowMs = Date.parse("2026-01-01T00:00:00Z");

function statusAfter({
  status,
  available,
  atMs = nowMs,
}: {
  status?: DeploymentStatus;
  available: number;
  atMs?: number;
}) {
  const newest = replicaSet("web-1", {
    status: { replicas: 1, readyReplicas: available, availableReplicas: available },
  });
  const wanted = deployment("web", { spec: { ...deployment("web").spec, replicas: 1 }, ...(status ? { status } : {}) });
  return rolloutStatus({ deployment: wanted, replicaSets: [newest], newest, nowMs: atMs });
}

test("progressing, complete, timed out", async (t) => {
  const first = statusAfter({ available: 0 });
  t.match(findCondition(first.conditions, "Available"), {
    status: "False",
    reason: "MinimumReplicasUnavailable",
    message: "Deployment does not have minimum availability.",
  });
  t.match(findCondition(first.conditions, "Progressing"), {
    status: "True",
    reason: "ReplicaSetUpdated",
    message: 'ReplicaSet "web-1" is progressing.',
  });
  t.equal(deadlineCheckMs(deployment("web"), first, nowMs), 601_000);
  const late = statusAfter({ status: first, available: 0, atMs: nowMs + 601_000 });
  t.match(findCondition(late.conditions, "Progressing"), {
    status: "False",
    reason: "ProgressDeadlineExceeded",
    message: 'ReplicaSet "web-1" has timed out progressing.',
  });
  const done = statusAfter({ status: late, available: 1, atMs: nowMs + 700_000 });
  t.match(findCondition(done.conditions, "Progressing"), {
    status: "True",
    reason: "NewReplicaSetAvailable",
    message: 'ReplicaSet "web-1" has successfully progressed.',
  });
  t.match(done, {
    replicas: 1,
    updatedReplicas: 1,
    availableReplicas: 1,
    unavailableReplicas: 0,
    observedGeneration: 1,
  });
});

test("a rollback writes the revision's history", async (t) => {
  const annotations = newReplicaSetAnnotations({
    deployment: deployment("web", {
      metadata: { annotations: { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
    }),
    annotations: { "deployment.kubernetes.io/revision": "1" },
    revision: 3,
    exists: true,
  });
  t.strictSame(annotations, {
    note: "x",
    "deployment.kubernetes.io/revision": "3",
    "deployment.kubernetes.io/revision-history": "1",
  });
});
