// What a DaemonSet does next, by table.

import { type DaemonSet, daemonsets } from "@picokube/api/apps/v1";
import type { Node, Pod, PodSpec, Taint } from "@picokube/api/core/v1";
import { node, type Overrides, object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { daemonTemplate, daemonTolerations, targetNodeName } from "./daemon-pod.js";
import { type DaemonPlan, groupByNode, type Observed, planDaemonSet } from "./daemonset-plan.js";
import { planRollout } from "./daemonset-rollout.js";
import { daemonSetStatus } from "./daemonset-status.js";
import { FailedPodsBackoff } from "./failed-pods-backoff.js";
import { nodeFit } from "./node-fit.js";

const nowMs = Date.parse("2026-01-01T01:00:00Z");
const labels = { app: "agent" };

function setOf(spec: Partial<NonNullable<DaemonSet["spec"]>> = {}, podSpec: Partial<PodSpec> = {}): DaemonSet {
  const template = { metadata: { labels }, spec: { containers: [{ name: "agent", image: "agent" }], ...podSpec } };
  const updateStrategy = { type: "RollingUpdate" as const, rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } };
  const base = { selector: { matchLabels: labels }, template, updateStrategy };
  return object(daemonsets, "agent", {
    metadata: { generation: 3 },
    spec: { ...base, ...spec },
  } as Overrides<DaemonSet>);
}

const rolling = (maxUnavailable: number | string, maxSurge: number | string = 0) => ({
  updateStrategy: { type: "RollingUpdate" as const, rollingUpdate: { maxUnavailable, maxSurge } },
});

interface PodState {
  hash?: string;
  phase?: "Pending" | "Running" | "Failed" | "Succeeded";
  ready?: boolean;
  ending?: boolean;
  bound?: boolean;
  born?: string;
}

function podOn(nodeName: string, name: string, state: PodState = {}): Pod {
  const { hash = "new", phase = "Running", ready = phase === "Running", ending = false, bound = true } = state;
  const { metadata, spec } = daemonTemplate(setOf(), { hash, nodeName });
  return pod(name, {
    metadata: {
      ...metadata,
      creationTimestamp: state.born ?? "2026-01-01T00:00:00Z",
      ...(ending ? { deletionTimestamp: "2026-01-01T00:59:00Z" } : {}),
    },
    spec: { ...spec, ...(bound ? { nodeName } : {}) },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:00Z" }],
    },
  });
}

const nodesOf = (...names: string[]): Node[] => names.map((name) => node(name));
const observe = (daemonSet: DaemonSet, nodes: Node[], pods: Pod[]): Observed => ({
  daemonSet,
  nodes,
  podsByNode: groupByNode(pods),
  hash: "new",
  nowMs,
});
const words = (plan: DaemonPlan) => [
  ...plan.create.map((name) => `create on ${name}`),
  ...plan.delete.map(({ metadata }) => `delete ${metadata.name}`),
];
const manage = (daemonSet: DaemonSet, nodes: Node[], pods: Pod[], waitMs = 0) =>
  words(planDaemonSet(observe(daemonSet, nodes, pods), () => waitMs));
const rollout = (daemonSet: DaemonSet, nodes: Node[], pods: Pod[]) =>
  words(planRollout(observe(daemonSet, nodes, pods)));
const former: PodState = { hash: "old" };

test("where a pod belongs", async (t) => {
  const tainted = (...taints: Taint[]) => node("n1", { spec: { taints } });
  const zoned = node("n1", { metadata: { labels: { zone: "a" } } });
  const affinity = (zone: string) => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In" as const, values: [zone] }] }],
        },
      },
    },
  });
  const table: { name: string; on: Node; podSpec?: Partial<PodSpec>; fit: [run: boolean, stay: boolean] }[] = [
    { name: "anywhere", on: node("n1"), fit: [true, true] },
    { name: "nodeName", on: node("n1"), podSpec: { nodeName: "n1" }, fit: [true, true] },
    { name: "another nodeName", on: node("n1"), podSpec: { nodeName: "n2" }, fit: [false, false] },
    { name: "nodeSelector", on: zoned, podSpec: { nodeSelector: { zone: "a" } }, fit: [true, true] },
    { name: "another nodeSelector", on: zoned, podSpec: { nodeSelector: { zone: "b" } }, fit: [false, false] },
    { name: "affinity", on: zoned, podSpec: affinity("a"), fit: [true, true] },
    { name: "another affinity", on: zoned, podSpec: affinity("b"), fit: [false, false] },
    { name: "NoSchedule", on: tainted({ key: "a", effect: "NoSchedule" }), fit: [false, true] },
    { name: "NoExecute", on: tainted({ key: "a", effect: "NoExecute" }), fit: [false, false] },
    { name: "PreferNoSchedule", on: tainted({ key: "a", effect: "PreferNoSchedule" }), fit: [true, true] },
    {
      name: "a taint it bears",
      on: tainted({ key: "a", effect: "NoExecute" }),
      podSpec: { tolerations: [{ operator: "Exists" }] },
      fit: [true, true],
    },
    {
      name: "a node in trouble",
      on: tainted(
        { key: "node.kubernetes.io/not-ready", effect: "NoExecute" },
        { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" },
        { key: "node.kubernetes.io/disk-pressure", effect: "NoSchedule" },
      ),
      fit: [true, true],
    },
    {
      name: "not ready, without effect on scheduling borne",
      on: tainted({ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }),
      fit: [false, true],
    },
    {
      name: "no network",
      on: tainted({ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }),
      fit: [false, true],
    },
    {
      name: "no network, which it does not need",
      on: tainted({ key: "node.kubernetes.io/network-unavailable", effect: "NoSchedule" }),
      podSpec: { hostNetwork: true },
      fit: [true, true],
    },
  ];
  for (const { name, on, podSpec, fit } of table) {
    const { shouldRun, shouldContinue } = nodeFit(on, setOf({}, podSpec));
    t.strictSame([shouldRun, shouldContinue], fit, name);
  }
});

test("a pod is pinned to its node and bears what daemons bear", async (t) => {
  const set = setOf({}, { nodeSelector: { zone: "a" }, tolerations: [{ key: "mine", operator: "Exists" }] });
  set.metadata.annotations = { "deprecated.daemonset.template.generation": "4" };
  const { metadata, spec } = daemonTemplate(set, { hash: "abc", nodeName: "n1" });
  t.strictSame(metadata?.labels, { ...labels, "pod-template-generation": "4", "controller-revision-hash": "abc" });
  t.strictSame(spec?.affinity?.nodeAffinity, {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }],
    },
  });
  t.strictSame(spec?.nodeSelector, { zone: "a" });
  t.strictSame(
    spec?.tolerations?.map(({ key, effect }) => `${key}:${effect ?? ""}`),
    [
      "mine:",
      "node.kubernetes.io/not-ready:NoExecute",
      "node.kubernetes.io/unreachable:NoExecute",
      "node.kubernetes.io/disk-pressure:NoSchedule",
      "node.kubernetes.io/memory-pressure:NoSchedule",
      "node.kubernetes.io/pid-pressure:NoSchedule",
      "node.kubernetes.io/unschedulable:NoSchedule",
    ],
  );
  t.equal(daemonTolerations({ containers: [], tolerations: spec!.tolerations! }).length, 7, "none twice");
  t.equal(targetNodeName(podOn("n1", "a", { bound: false })), "n1");
  t.equal(targetNodeName(pod("free")), undefined);
});

test("each node comes to one pod", async (t) => {
  const two = nodesOf("n1", "n2");
  t.strictSame(manage(setOf(), two, []), ["create on n1", "create on n2"]);
  t.strictSame(manage(setOf(), two, [podOn("n1", "a")]), ["create on n2"]);
  t.strictSame(manage(setOf(), two, [podOn("n1", "a"), podOn("n2", "b", { ending: true })]), [], "its end is awaited");
  const over = podOn("n2", "b", { ending: true, phase: "Failed" });
  t.strictSame(manage(setOf(), two, [podOn("n1", "a"), over]), ["create on n2"], "over already");
  const late = { born: "2026-01-01T00:00:01Z" };
  t.strictSame(manage(setOf(), nodesOf("n1"), [podOn("n1", "b", late), podOn("n1", "a")]), ["delete b"]);
  t.strictSame(
    manage(setOf(), nodesOf("n1"), [podOn("n1", "a", { bound: false }), podOn("n1", "b", late)]),
    ["delete a"],
    "the one that has its node stays",
  );
  const taints = [{ key: "gpu", effect: "NoSchedule" as const }];
  const kept = [node("n1", { spec: { taints } })];
  t.strictSame(manage(setOf(), kept, []), []);
  t.strictSame(manage(setOf(), kept, [podOn("n1", "a")]), [], "one that is there stays");
  const ended = [node("n1", { spec: { taints: [{ key: "gpu", effect: "NoExecute" as const }] } })];
  t.strictSame(manage(setOf(), ended, [podOn("n1", "a"), podOn("n1", "b", { ending: true })]), ["delete a"]);
  t.strictSame(manage(setOf(), [], [podOn("gone", "a", { bound: false }), podOn("gone", "b")]), ["delete a"]);
});

test("what has ended is made anew, after a while if it failed", async (t) => {
  const failed = podOn("n1", "a", { phase: "Failed" });
  t.strictSame(manage(setOf(), nodesOf("n1"), [failed]), ["delete a"]);
  t.strictSame(manage(setOf(), nodesOf("n1"), [failed], 2000), []);
  t.equal(planDaemonSet(observe(setOf(), nodesOf("n1"), [failed]), () => 2000).requeueAfterMs, 2000);
  t.strictSame(manage(setOf(), nodesOf("n1"), [podOn("n1", "a", { phase: "Succeeded" })], 2000), ["delete a"]);
  const backoff = new FailedPodsBackoff();
  t.equal(backoff.leftMs("a", 0), 0);
  const waits = [0, 1000, 3000, 7000].map((atMs) => {
    backoff.next("a", atMs);
    return backoff.leftMs("a", atMs);
  });
  t.strictSame(waits, [1000, 2000, 4000, 8000]);
  t.equal(backoff.leftMs("a", 8000), 7000);
  t.equal(backoff.leftMs("b", 8000), 0);
  for (let i = 0; i < 20; i++) backoff.next("c", 0);
  t.equal(backoff.leftMs("c", 0), 15 * 60_000, "at most a quarter of an hour");
  t.equal(backoff.leftMs("c", 31 * 60_000), 0);
});

test("an update ends as many old pods as may be missing", async (t) => {
  const three = nodesOf("n1", "n2", "n3");
  const old = (n: number, state: PodState = {}) => podOn(`n${n}`, `p${n}`, { ...former, ...state });
  t.strictSame(rollout(setOf(), three, [old(1), old(2), old(3)]), ["delete p1"]);
  t.strictSame(rollout(setOf(rolling(2)), three, [old(1), old(2), old(3)]), ["delete p1", "delete p2"]);
  t.strictSame(
    rollout(setOf(rolling("34%")), three, [old(1), old(2), old(3)]),
    ["delete p1", "delete p2"],
    "rounded up",
  );
  t.strictSame(rollout(setOf(), three, [podOn("n1", "p1", { ready: false }), old(2), old(3)]), [], "one is away");
  t.strictSame(rollout(setOf(), three, [old(1, { ending: true }), old(2), old(3)]), []);
  t.strictSame(rollout(setOf(), three, [old(2), old(3)]), [], "a node without a pod counts");
  t.strictSame(rollout(setOf(), three, [old(1), old(2, { ready: false }), old(3, { ready: false })]), [
    "delete p2",
    "delete p3",
  ]);
  t.strictSame(rollout(setOf(), three, [podOn("n1", "p1"), podOn("n2", "p2"), podOn("n3", "p3")]), []);
});

test("an update with surge makes new pods beside the old", async (t) => {
  const set = setOf(rolling(0, 1));
  const three = nodesOf("n1", "n2", "n3");
  const old = (n: number, state: PodState = {}) => podOn(`n${n}`, `p${n}`, { ...former, ...state });
  t.strictSame(rollout(set, three, [old(1), old(2), old(3)]), ["create on n1"]);
  const surging = podOn("n1", "q1", { ready: false });
  t.strictSame(rollout(set, three, [old(1), surging, old(2), old(3)]), []);
  t.strictSame(manage(set, three, [old(1), surging, old(2), old(3)]), [], "two are as many as may be");
  t.strictSame(rollout(set, three, [old(1), podOn("n1", "q1"), old(2), old(3)]), ["create on n2", "delete p1"]);
  t.strictSame(manage(set, three, [old(1), podOn("n1", "q1"), old(2), old(3)]), ["delete p1"]);
  t.strictSame(rollout(set, three, [old(1, { ready: false }), old(2), old(3)]), ["create on n1", "create on n2"]);
  t.strictSame(manage(set, nodesOf("n1"), [old(1, { ending: true })]), ["create on n1"], "no wait for the end");
  const taints = [{ key: "gpu", effect: "NoSchedule" as const }];
  const left = [node("n1", { spec: { taints } }), node("n2")];
  t.strictSame(rollout(set, left, [old(1), podOn("n2", "p2")]), ["delete p1"], "not wanted, and not needed");
  t.strictSame(rollout(set, left, [old(1)]), [], "not wanted, but all there is");
});

test("status counts nodes", async (t) => {
  const nodes = [...nodesOf("n1", "n2", "n3"), node("n4", { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } })];
  const pods = [podOn("n1", "a"), podOn("n2", "b", { ...former, ready: false }), podOn("n4", "d")];
  const observed = observe(setOf(), nodes, pods);
  const counts = {
    desiredNumberScheduled: 3,
    currentNumberScheduled: 2,
    numberMisscheduled: 1,
    numberReady: 1,
    updatedNumberScheduled: 1,
    numberAvailable: 1,
    numberUnavailable: 2,
  };
  t.strictSame(daemonSetStatus(observed, { acted: true }), { ...counts, observedGeneration: 3 });
  t.strictSame(daemonSetStatus(observed, { acted: false }), counts);
});
