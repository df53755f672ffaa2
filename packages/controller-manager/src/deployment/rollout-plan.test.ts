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
  const shrinking = sized("a", 2, { available: 4 });
  t.strictSame(
    step(sized("new", 1, { available: 0 }), [shrinking, sized("b", 2)], wanting(5, { maxSurge: 0, maxUnavailable: 2 })),
    ["a=1"],
    "pods that are about to go are not counted on",
  );
  const unobserved = { ...sized("new", 2), metadata: { ...sized("new", 2).metadata, generation: 2 } };
  t.strictSame(step(unobserved, [sized("old", 3)]), [], "nor is a status of a former size");
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
  t.strictSame(scale(0, sized("new", 5), [sized("old", 8)]), ["old=0", "new=0"], "without a word of their former size");
  t.strictSame(scale(5, sized("new", 5, { max: "13" }), [sized("old", 8, { max: "13" })]), ["old=4", "new=3"]);
  const three = [sized("b", 3, { max: "11" }), sized("a", 3, { max: "11" })];
  t.strictSame(
    scale(12, sized("new", 5, { max: "11" }), three),
    ["new=7", "b=4", "a=4"],
    "the newer of equals grows first",
  );
  t.strictSame(scale(4, sized("new", 5, { max: "11" }), three), ["new=2", "a=1", "b=2"], "and shrinks last");
  const wanted = { ...wanting(20), status: { replicas: 13 } };
  const guessed = planScale({ deployment: wanted, newest: sized("new", 5), old: [sized("old", 8)] });
  t.strictSame(words(guessed), ["old=15", "new=10"], "by the Deployment's own size where nothing is annotated");
  const done = { ...sized("new", 4), metadata: { ...sized("new", 4).metadata } };
  done.metadata.annotations = { "deployment.kubernetes.io/desired-replicas": "4" };
  t.strictSame(scale(4, done, [sized("old", 2)]), ["old=0"], "a new one that is full ends the old ones");
  const recreate = deployment("web", { spec: { replicas: 9, strategy: { type: "Recreate" } } });
  t.strictSame(planScale({ deployment: recreate, newest: sized("new", 1), old: [sized("old", 2)] }), []);
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
