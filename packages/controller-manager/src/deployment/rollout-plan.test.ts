// A Deployment's next step, by table.

import type { Deployment, ReplicaSet } from "@picokube/api/apps/v1";
import { deployment, replicaSet } from "@picokube/testing/builders";
import { test } from "tap";
import { newReplicaSetSize, planCleanup, planRollingUpdate, planScale, type Scaling } from "./rollout-plan.js";

function sized(name: string, replicas: number, { available = replicas, max = "", revision = "1" } = {}): ReplicaSet {
  const annotations = {
    "deployment.kubernetes.io/revision": revision,
    ...(max ? { "deployment.kubernetes.io/max-replicas": max } : {}),
  };
  const { spec } = replicaSet(name);
  return replicaSet(name, {
    metadata: { annotations },
    spec: { ...spec, replicas },
    status: { replicas, availableReplicas: available, observedGeneration: 1 },
  });
}

function wanting(replicas: number, rollingUpdate: object = { maxSurge: "25%", maxUnavailable: "25%" }): Deployment {
  return deployment("web", { spec: { replicas, strategy: { type: "RollingUpdate", rollingUpdate } } });
}

const words = (plan: readonly Scaling[]) =>
  plan.map(({ replicaSet: { metadata }, replicas }) => `${metadata.name}=${replicas}`);

test("a new ReplicaSet grows as far as maxSurge lets it", async (t) => {
  t.equal(newReplicaSetSize(wanting(4), [sized("old", 4)], undefined), 1);
  t.equal(newReplicaSetSize(wanting(4), [], undefined), 4);
  t.equal(newReplicaSetSize(wanting(4), [sized("old", 5)], undefined), 0);
});

test("a rolling update goes step by step and never below what must be available", async (t) => {
  const step = (newest: ReplicaSet, old: ReplicaSet[], wanted = wanting(4)) =>
    words(planRollingUpdate({ deployment: wanted, newest, old }));
  t.strictSame(step(sized("new", 0), [sized("old", 4)]), ["new=1"], "surge first");
  t.strictSame(step(sized("new", 1, { available: 0 }), [sized("old", 4)]), ["old=3"], "then one may be missing");
  t.strictSame(step(sized("new", 2, { available: 0 }), [sized("old", 3)]), [], "wait for the new pods");
  t.strictSame(step(sized("new", 2), [sized("old", 3)]), ["old=1"]);
  t.strictSame(step(sized("new", 4), [sized("old", 1)]), ["old=0"]);
  t.strictSame(step(sized("new", 4), []), []);
  t.strictSame(step(sized("new", 1), [sized("old", 4, { available: 1 })]), ["old=2"], "lame pods go first");
  t.strictSame(
    step(sized("new", 0), [sized("old", 2)], wanting(2, { maxSurge: 0, maxUnavailable: 0 })),
    ["old=1"],
    "both zero still moves",
  );
});

test("scaling: all to the one that runs, shares in mid-rollout", async (t) => {
  const scale = (replicas: number, newest: ReplicaSet, old: ReplicaSet[]) =>
    words(planScale({ deployment: wanting(replicas), newest, old }));
  t.strictSame(scale(5, sized("new", 3), [sized("old", 0)]), ["new=5"]);
  t.strictSame(scale(3, sized("new", 0), [sized("old", 0)]), ["new=3"]);
  t.strictSame(scale(20, sized("new", 5, { max: "13" }), [sized("old", 8, { max: "13" })]), ["old=15", "new=10"]);
  t.strictSame(scale(0, sized("new", 5, { max: "13" }), [sized("old", 8, { max: "13" })]), ["old=0", "new=0"]);
});

test("the history keeps the newest revisions", async (t) => {
  const old = [sized("c", 0, { revision: "3" }), sized("a", 0, { revision: "1" }), sized("b", 0, { revision: "2" })];
  const wanted = deployment("web", { spec: { ...wanting(1).spec, revisionHistoryLimit: 1 } });
  t.strictSame(
    planCleanup(wanted, old).map(({ metadata }) => metadata.name),
    ["a", "b"],
  );
  t.strictSame(planCleanup(wanting(1), old), []);
});
