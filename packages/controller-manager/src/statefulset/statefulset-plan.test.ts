// What a StatefulSet does next, by table.

import { type StatefulSet, statefulsets } from "@picokube/api/apps/v1";
import { type PersistentVolumeClaim, type Pod, persistentvolumeclaims } from "@picokube/api/core/v1";
import type { OwnerReference } from "@picokube/api/meta/v1";
import { type Overrides, object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { withIdentity, withStorage } from "./identity.js";
import { planStatefulSet } from "./statefulset-plan.js";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "nginx" }] } };

function setOf(spec: Partial<NonNullable<StatefulSet["spec"]>> = {}): StatefulSet {
  const base = { replicas: 3, serviceName: "web", selector: { matchLabels: labels }, template };
  const updateStrategy = { type: "RollingUpdate" as const, rollingUpdate: { partition: 0 } };
  return object(statefulsets, "web", { spec: { ...base, updateStrategy, ...spec } } as Overrides<StatefulSet>);
}

interface PodState {
  revision?: string;
  phase?: "Pending" | "Running" | "Failed" | "Succeeded";
  ready?: boolean;
  terminating?: boolean;
  since?: string;
  name?: string;
}

function podOf(ordinal: number, state: PodState = {}, set = setOf()): Pod {
  const { revision = "new", phase = "Running", ready = phase === "Running", terminating = false } = state;
  const since = state.since ?? "2026-01-01T00:00:00Z";
  const made = pod(state.name ?? `web-${ordinal}`, {
    metadata: {
      labels: { ...labels, "controller-revision-hash": revision },
      ...(terminating ? { deletionTimestamp: "2026-01-01T00:59:00Z" } : {}),
    },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: since }] },
  });
  return withStorage(set, withIdentity(made));
}

function next(set: StatefulSet, pods: Pod[], claims: PersistentVolumeClaim[] = []): string[] {
  const { stages, update } = planStatefulSet({
    set,
    pods,
    claim: (name) => claims.find(({ metadata }) => metadata.name === name),
    current: { name: "old", template },
    update: { name: "new", template: { ...template, metadata: { labels: { ...labels, v: "2" } } } },
    nowMs,
  });
  const steps = stages.flat(2).map((step) => {
    const revision = step.do === "create" ? ` ${step.pod.metadata.labels?.["controller-revision-hash"]}` : "";
    return `${step.do} ${step.pod.metadata.name}${revision}`;
  });
  return [...steps, ...update.map(({ metadata }) => `update ${metadata.name}`)];
}

const old = (ordinal: number) => podOf(ordinal, { revision: "old" });
const parallel = { podManagementPolicy: "Parallel" as const };

test("in order: each pod waits for all before it", async (t) => {
  const set = setOf();
  t.strictSame(next(set, []), ["create web-0 new"]);
  t.strictSame(next(set, [podOf(0, { phase: "Pending" })]), []);
  t.strictSame(next(set, [podOf(0, { ready: false })]), []);
  t.strictSame(next(set, [podOf(0)]), ["create web-1 new"]);
  t.strictSame(next(set, [podOf(0), podOf(2)]), ["create web-1 new"]);
  t.strictSame(next(set, [podOf(0, { terminating: true }), podOf(1), podOf(2)]), [], "an end is waited for");
  t.strictSame(next(set, [podOf(0), podOf(1), podOf(2)]), []);
  const slow = setOf({ minReadySeconds: 30 });
  t.strictSame(next(slow, [podOf(0, { since: "2026-01-01T00:59:45Z" })]), [], "ready, but not for long enough");
  t.strictSame(next(slow, [podOf(0, { since: "2026-01-01T00:59:15Z" })]), ["create web-1 new"]);
});

test("in order: one is given up at a time, the highest first", async (t) => {
  const set = setOf({ replicas: 1 });
  t.strictSame(next(set, [podOf(0), podOf(2), podOf(1)]), ["delete web-2"]);
  t.strictSame(next(set, [podOf(0), podOf(1), podOf(2, { terminating: true })]), []);
  t.strictSame(next(set, [podOf(0, { ready: false }), podOf(1), podOf(2)]), [], "what stays must be well first");
  t.strictSame(next(set, [podOf(0), podOf(1), podOf(2, { ready: false })]), ["delete web-2"], "only it is ill");
  t.strictSame(
    next(set, [podOf(0), podOf(1, { ready: false }), podOf(2, { ready: false })]),
    [],
    "web-1 was ill first",
  );
  t.strictSame(next(setOf({ replicas: 0 }), [podOf(0)]), ["delete web-0"]);
});

test("in parallel: all at once", async (t) => {
  const set = setOf(parallel);
  t.strictSame(next(set, []), ["create web-0 new", "create web-1 new", "create web-2 new"]);
  t.strictSame(next(set, [podOf(1, { terminating: true })]), ["create web-0 new", "create web-2 new"]);
  t.strictSame(next(setOf({ ...parallel, replicas: 0 }), [podOf(0), podOf(1, { terminating: true }), podOf(2)]), [
    "delete web-2",
    "delete web-0",
  ]);
});

test("what has ended is made anew, however it ended", async (t) => {
  t.strictSame(next(setOf(), [podOf(0, { phase: "Failed" }), podOf(1), podOf(2)]), ["delete web-0"]);
  t.strictSame(next(setOf(), [podOf(0), podOf(1, { phase: "Succeeded" })]), ["delete web-1"]);
  t.strictSame(next(setOf(), [podOf(0, { phase: "Failed", terminating: true })]), []);
  t.strictSame(next(setOf(parallel), [podOf(0, { phase: "Failed", revision: "old" }), podOf(1), old(2)]), [
    "delete web-0",
    "update web-2",
  ]);
});

test("an update goes from the highest down to the partition", async (t) => {
  const rolling = (rollingUpdate: object) => ({ updateStrategy: { type: "RollingUpdate" as const, rollingUpdate } });
  t.strictSame(next(setOf(), [old(0), old(1), old(2)]), ["update web-2"]);
  t.strictSame(next(setOf(), [old(0), old(1), podOf(2)]), ["update web-1"]);
  t.strictSame(next(setOf(), [old(0), old(1), podOf(2, { ready: false })]), []);
  t.strictSame(next(setOf(parallel), [old(0), old(1), podOf(2, { ready: false })]), []);
  t.strictSame(next(setOf(parallel), [old(0), old(1), podOf(2, { terminating: true })]), []);
  t.strictSame(next(setOf(rolling({ partition: 2 })), [old(0), old(1), podOf(2)]), []);
  t.strictSame(next(setOf(rolling({ partition: 2 })), [old(0)]), ["create web-1 old"], "below it, what is current");
  t.strictSame(next(setOf(rolling({ partition: 1 })), [old(0)]), ["create web-1 new"]);
  t.strictSame(next(setOf({ updateStrategy: { type: "OnDelete" } }), [old(0), old(1), old(2)]), []);
  t.strictSame(next(setOf({ updateStrategy: { type: "OnDelete" } }), [old(0), old(2)]), ["create web-1 new"]);
  t.strictSame(next(setOf(rolling({ partition: 0, maxUnavailable: 2 })), [old(0), old(1), old(2)]), [
    "update web-2",
    "update web-1",
  ]);
  const half = { ...rolling({ partition: 0, maxUnavailable: "50%" }), ...parallel, replicas: 5 };
  const five = [old(0), old(1), old(2), old(3), podOf(4, { ready: false })];
  t.strictSame(next(setOf(half), five), ["update web-3"], "50% of five is two, and one is away already");
  const ill = podOf(0, { ready: false, revision: "old" });
  t.strictSame(next(setOf({ ...half, replicas: 3 }), [ill, podOf(1), old(2)]), ["update web-0"], "no cost: it is ill");
});

test("ordinals may start anywhere", async (t) => {
  const set = setOf({ ordinals: { start: 5 }, replicas: 2 });
  t.strictSame(next(set, []), ["create web-5 new"]);
  t.strictSame(next(set, [podOf(5), podOf(6), podOf(0)]), ["delete web-0"]);
  const updateStrategy = { type: "RollingUpdate" as const, rollingUpdate: { partition: 1 } };
  t.strictSame(next(setOf({ ordinals: { start: 5 }, replicas: 2, updateStrategy }), [old(5), old(6)]), [
    "update web-6",
  ]);
  t.strictSame(next(set, [podOf(0, { name: "web-x" })]), ["create web-5 new"], "no ordinal: not looked at");
});

test("claims follow the retention policy", async (t) => {
  const volumeClaimTemplates = [{ metadata: { name: "data" }, spec: {} }];
  const claim = (ordinal: number, ...ownerReferences: OwnerReference[]) =>
    object(persistentvolumeclaims, `data-web-${ordinal}`, { metadata: { ownerReferences } });
  const owner = (kind: "Pod" | "StatefulSet", name: string, uid: string): OwnerReference => ({
    apiVersion: kind === "Pod" ? "v1" : "apps/v1",
    kind,
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  });
  const ofSet = owner("StatefulSet", "web", "uid-statefulset-web");
  const ofPod = owner("Pod", "web-0", "uid-pod-web-0");
  const policies = {
    "Retain/Retain": { inRange: [], condemned: [] },
    "Delete/Retain": { inRange: [ofSet], condemned: [ofSet] },
    "Retain/Delete": { inRange: [], condemned: [ofPod] },
    "Delete/Delete": { inRange: [ofSet], condemned: [ofPod] },
  };
  for (const [policy, wanted] of Object.entries(policies)) {
    const [whenDeleted, whenScaled] = policy.split("/") as ["Retain", "Retain"];
    const persistentVolumeClaimRetentionPolicy = { whenDeleted, whenScaled };
    for (const [where, replicas] of [
      ["inRange", 1],
      ["condemned", 0],
    ] as const) {
      const set = setOf({ replicas, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy });
      const running = podOf(0, {}, set);
      for (const owners of [[], [ofSet], [ofPod], [ofSet, ofPod]]) {
        const right = JSON.stringify(owners) === JSON.stringify(wanted[where]);
        const mends = next(set, [running], [claim(0, ...owners)]).some((step) => step.startsWith("mend"));
        t.equal(mends, !right, `${policy} ${where}: ${owners.map(({ kind }) => kind)}`);
      }
    }
  }
  const scaled = { whenDeleted: "Retain" as const, whenScaled: "Delete" as const };
  const set = setOf({ replicas: 1, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: scaled });
  t.strictSame(next(set, []), ["create web-0 new"]);
  t.strictSame(next(set, [], [claim(0, { ...ofPod, uid: "former" })]), [], "the claim goes with the pod before");
  t.strictSame(next(set, [podOf(0, { phase: "Pending" }, set)]), ["complete claims web-0"]);
  t.strictSame(next(set, [podOf(0, { phase: "Pending" }, set)], [claim(0)]), []);
});
