// Phases, container states and conditions by table.

import type { Container, PodStatus } from "@picokube/api/core/v1";
import { test } from "tap";
import { testContainer, testPod, testSandbox, testState } from "./observed.js";
import { testStatus } from "./pod-status.testing.js";

const c = { name: "c", image: "i" };
const d = { name: "d", image: "i" };
const init = { name: "init", image: "i" };
const running = testContainer({ state: "running" });
const succeeded = testContainer({ state: "exited" });
const failed = testContainer({ state: "exited", exitCode: 1 });
const crash = new Map([["c", { reason: "CrashLoopBackOff", message: "back-off 10s" }]]);

test("phases", async (t) => {
  const table: [string, string, PodStatus][] = [
    ["nothing yet", "Pending", testStatus([])],
    ["running", "Running", testStatus([running])],
    ["one of two still waits", "Pending", testStatus([running], { spec: { containers: [c, d] } })],
    ["ended, will restart", "Running", testStatus([failed])],
    ["in back-off", "Running", testStatus([failed], { failures: crash })],
    ["Never, succeeded", "Succeeded", testStatus([succeeded], { spec: { restartPolicy: "Never" } })],
    ["Never, failed", "Failed", testStatus([failed], { spec: { restartPolicy: "Never" } })],
    ["OnFailure, succeeded", "Succeeded", testStatus([succeeded], { spec: { restartPolicy: "OnFailure" } })],
    ["OnFailure, failed", "Running", testStatus([failed], { spec: { restartPolicy: "OnFailure" } })],
    ["deleted, ended well", "Succeeded", testStatus([succeeded], { terminal: true })],
    ["deleted, ended badly", "Failed", testStatus([failed], { terminal: true })],
    [
      "init runs",
      "Pending",
      testStatus([testContainer({ container: init, state: "running" })], { spec: { initContainers: [init] } }),
    ],
    [
      "init failed for good",
      "Failed",
      testStatus([testContainer({ container: init, state: "exited", exitCode: 1 })], {
        spec: { initContainers: [init], restartPolicy: "Never" },
      }),
    ],
    [
      "a verdict of the kubelet",
      "Failed",
      testStatus([running], { verdict: { phase: "Failed", reason: "Evicted", message: "m" } }),
    ],
    ["what has ended stays ended", "Failed", testStatus([running], { old: { phase: "Failed" } })],
  ];
  for (const [name, phase, status] of table) t.equal(status.phase, phase, name);
});

test("container states", async (t) => {
  t.match(testStatus([]).containerStatuses, [
    { state: { waiting: { reason: "ContainerCreating" } }, ready: false, started: false },
  ]);
  t.match(testStatus([], { spec: { initContainers: [init] } }), {
    containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
    initContainerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
  });
  t.match(testStatus([running]).containerStatuses, [
    { containerID: "docker://c-0", ready: true, started: true, restartCount: 0, state: { running: {} } },
  ]);
  const again = testStatus([
    testContainer({ state: "running", attempt: 3 }),
    testContainer({ state: "exited", exitCode: 2, attempt: 2 }),
  ]);
  t.match(again.containerStatuses, [
    { restartCount: 3, lastState: { terminated: { exitCode: 2, reason: "Error", containerID: "docker://c-2" } } },
  ]);
  t.match(testStatus([failed], { failures: crash, terminationMessage: () => "last words" }).containerStatuses, [
    {
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
      lastState: { terminated: { exitCode: 1, message: "last words" } },
    },
  ]);
  t.match(testStatus([{ ...failed, oomKilled: true }]).containerStatuses, [
    { state: { terminated: { reason: "OOMKilled" } } },
  ]);
  const before = testStatus([running]);
  t.match(testStatus([], { old: before }).containerStatuses, [
    { state: { waiting: {} }, lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } } },
  ]);
  const ended = testStatus([succeeded]);
  t.match(testStatus([], { old: ended }).containerStatuses, [{ state: { terminated: { exitCode: 0 } } }]);
});

test("readiness", async (t) => {
  const probed: Container = { ...c, readinessProbe: {} };
  const spec = { containers: [probed] };
  const observed = [testContainer({ container: probed, state: "running" })];
  t.match(testStatus(observed, { spec }).containerStatuses, [{ ready: false, started: true }], "no verdict yet");
  t.match(testStatus(observed, { spec, readiness: () => true }).containerStatuses, [{ ready: true }]);
  const old = testStatus(observed, { spec, readiness: () => true });
  t.match(testStatus(observed, { spec, old }).containerStatuses, [{ ready: true }], "a new kubelet keeps the verdict");
  const slow = { containers: [{ ...probed, startupProbe: {} }] };
  t.match(testStatus(observed, { spec: slow, readiness: () => true }).containerStatuses, [
    { ready: false, started: false },
  ]);
});

test("conditions", async (t) => {
  const of = (status: PodStatus) =>
    Object.fromEntries(
      (status.conditions ?? []).map(({ type, status, reason, message }) => [type, [status, reason, message]]),
    );
  t.same(of(testStatus([running])), {
    PodReadyToStartContainers: ["True", undefined, undefined],
    Initialized: ["True", undefined, undefined],
    Ready: ["True", undefined, undefined],
    ContainersReady: ["True", undefined, undefined],
    PodScheduled: ["True", undefined, undefined],
  });
  const unready = ["False", "ContainersNotReady", "containers with unready status: [c]"];
  t.match(of(testStatus([failed])), { Ready: unready, ContainersReady: unready });
  t.match(
    of(testStatus([], { spec: { initContainers: [init] }, state: testState([], [testSandbox({ ready: false })]) })),
    {
      PodReadyToStartContainers: ["False"],
      Initialized: ["False", "ContainersNotInitialized", "containers with incomplete status: [init]"],
    },
  );
  t.match(of(testStatus([succeeded], { spec: { restartPolicy: "Never" } })), {
    Initialized: ["True", "PodCompleted"],
    Ready: ["False", "PodCompleted"],
  });
  t.match(of(testStatus([running], { spec: { readinessGates: [{ conditionType: "x/y" }] } })), {
    ContainersReady: ["True"],
    Ready: ["False", "ReadinessGatesNotReady", 'corresponding condition of pod readiness gate "x/y" does not exist.'],
  });
});

test("addresses and class", async (t) => {
  t.match(testStatus([running]), {
    hostIP: "192.168.1.1",
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    qosClass: "BestEffort",
    startTime: "2026-01-01T00:00:00Z",
  });
});

test("a refused pod tells of no containers, also after the kubelet starts anew", async (t) => {
  const verdict = { phase: "Failed", reason: "OutOfcpu", message: "Pod was rejected: x", refused: true } as const;
  const refused = testStatus([], { terminal: true, verdict });
  const { refused: _, ...words } = verdict;
  t.same(refused, { ...words, startTime: "2026-01-01T00:00:00Z", qosClass: "BestEffort" });
  t.same(testStatus([], { terminal: true, old: refused }), refused);
});

test("generations are told where somebody already did: upstream's gate is off", async (t) => {
  const pod = testPod();
  pod.metadata.generation = 7;
  const told = (status: PodStatus) => [
    status.observedGeneration,
    ...(status.conditions ?? []).map(
      ({ type, observedGeneration }) => observedGeneration && `${type} ${observedGeneration}`,
    ),
  ];
  t.same(told(testStatus([running], { pod })).filter(Boolean), []);
  pod.status = { observedGeneration: 3, conditions: [{ type: "Ready", status: "True", observedGeneration: 3 }] };
  t.same(told(testStatus([running], { pod })).filter(Boolean), [7, "Ready 7"]);
});
