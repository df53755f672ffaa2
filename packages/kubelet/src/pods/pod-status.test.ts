// Phases, container states and conditions by table.

import type { Container, PodSpec, PodStatus } from "@picokube/api/core/v1";
import { test } from "tap";
import type { ContainerStatus } from "../cri/runtime.js";
import { testContainer, testPod, testSandbox, testState } from "./observed.js";
import { generatePodStatus, type PodStatusInputs } from "./pod-status.js";

function generate(
  containers: readonly ContainerStatus[],
  { spec, ...more }: Partial<PodStatusInputs> & { spec?: Partial<PodSpec> } = {},
): PodStatus {
  return generatePodStatus({
    pod: testPod(spec),
    state: testState(containers),
    old: undefined,
    failures: new Map(),
    readiness: () => undefined,
    startup: () => undefined,
    terminationMessage: () => "",
    hostIps: ["192.168.1.1"],
    nowMs: Date.UTC(2026, 0, 1),
    terminal: false,
    ...more,
  });
}

const c = { name: "c", image: "i" };
const d = { name: "d", image: "i" };
const init = { name: "init", image: "i" };
const running = testContainer({ state: "running" });
const succeeded = testContainer({ state: "exited" });
const failed = testContainer({ state: "exited", exitCode: 1 });
const crash = new Map([["c", { reason: "CrashLoopBackOff", message: "back-off 10s" }]]);

test("phases", async (t) => {
  const table: [string, string, PodStatus][] = [
    ["nothing yet", "Pending", generate([])],
    ["running", "Running", generate([running])],
    ["one of two still waits", "Pending", generate([running], { spec: { containers: [c, d] } })],
    ["ended, will restart", "Running", generate([failed])],
    ["in back-off", "Running", generate([failed], { failures: crash })],
    ["Never, succeeded", "Succeeded", generate([succeeded], { spec: { restartPolicy: "Never" } })],
    ["Never, failed", "Failed", generate([failed], { spec: { restartPolicy: "Never" } })],
    ["OnFailure, succeeded", "Succeeded", generate([succeeded], { spec: { restartPolicy: "OnFailure" } })],
    ["OnFailure, failed", "Running", generate([failed], { spec: { restartPolicy: "OnFailure" } })],
    ["deleted, ended well", "Succeeded", generate([succeeded], { terminal: true })],
    ["deleted, ended badly", "Failed", generate([failed], { terminal: true })],
    [
      "init runs",
      "Pending",
      generate([testContainer({ container: init, state: "running" })], { spec: { initContainers: [init] } }),
    ],
    [
      "init failed for good",
      "Failed",
      generate([testContainer({ container: init, state: "exited", exitCode: 1 })], {
        spec: { initContainers: [init], restartPolicy: "Never" },
      }),
    ],
    [
      "a verdict of the kubelet",
      "Failed",
      generate([running], { verdict: { phase: "Failed", reason: "Evicted", message: "m" } }),
    ],
    ["what has ended stays ended", "Failed", generate([running], { old: { phase: "Failed" } })],
  ];
  for (const [name, phase, status] of table) t.equal(status.phase, phase, name);
});

test("container states", async (t) => {
  t.match(generate([]).containerStatuses, [
    { state: { waiting: { reason: "ContainerCreating" } }, ready: false, started: false },
  ]);
  t.match(generate([], { spec: { initContainers: [init] } }), {
    containerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
    initContainerStatuses: [{ state: { waiting: { reason: "PodInitializing" } } }],
  });
  t.match(generate([running]).containerStatuses, [
    { containerID: "docker://c-0", ready: true, started: true, restartCount: 0, state: { running: {} } },
  ]);
  const again = generate([
    testContainer({ state: "running", attempt: 3 }),
    testContainer({ state: "exited", exitCode: 2, attempt: 2 }),
  ]);
  t.match(again.containerStatuses, [
    { restartCount: 3, lastState: { terminated: { exitCode: 2, reason: "Error", containerID: "docker://c-2" } } },
  ]);
  t.match(generate([failed], { failures: crash, terminationMessage: () => "last words" }).containerStatuses, [
    {
      state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
      lastState: { terminated: { exitCode: 1, message: "last words" } },
    },
  ]);
  t.match(generate([{ ...failed, oomKilled: true }]).containerStatuses, [
    { state: { terminated: { reason: "OOMKilled" } } },
  ]);
  const before = generate([running]);
  t.match(generate([], { old: before }).containerStatuses, [
    { state: { waiting: {} }, lastState: { terminated: { exitCode: 137, reason: "ContainerStatusUnknown" } } },
  ]);
  const ended = generate([succeeded]);
  t.match(generate([], { old: ended }).containerStatuses, [{ state: { terminated: { exitCode: 0 } } }]);
});

test("readiness", async (t) => {
  const probed: Container = { ...c, readinessProbe: {} };
  const spec = { containers: [probed] };
  const observed = [testContainer({ container: probed, state: "running" })];
  t.match(generate(observed, { spec }).containerStatuses, [{ ready: false, started: true }], "no verdict yet");
  t.match(generate(observed, { spec, readiness: () => true }).containerStatuses, [{ ready: true }]);
  const old = generate(observed, { spec, readiness: () => true });
  t.match(generate(observed, { spec, old }).containerStatuses, [{ ready: true }], "a new kubelet keeps the verdict");
  const slow = { containers: [{ ...probed, startupProbe: {} }] };
  t.match(generate(observed, { spec: slow, readiness: () => true }).containerStatuses, [
    { ready: false, started: false },
  ]);
});

test("conditions", async (t) => {
  const of = (status: PodStatus) =>
    Object.fromEntries(
      (status.conditions ?? []).map(({ type, status, reason, message }) => [type, [status, reason, message]]),
    );
  t.same(of(generate([running])), {
    PodReadyToStartContainers: ["True", undefined, undefined],
    Initialized: ["True", undefined, undefined],
    Ready: ["True", undefined, undefined],
    ContainersReady: ["True", undefined, undefined],
    PodScheduled: ["True", undefined, undefined],
  });
  const unready = ["False", "ContainersNotReady", "containers with unready status: [c]"];
  t.match(of(generate([failed])), { Ready: unready, ContainersReady: unready });
  t.match(
    of(generate([], { spec: { initContainers: [init] }, state: testState([], [testSandbox({ ready: false })]) })),
    {
      PodReadyToStartContainers: ["False"],
      Initialized: ["False", "ContainersNotInitialized", "containers with incomplete status: [init]"],
    },
  );
  t.match(of(generate([succeeded], { spec: { restartPolicy: "Never" } })), {
    Initialized: ["True", "PodCompleted"],
    Ready: ["False", "PodCompleted"],
  });
  t.match(of(generate([running], { spec: { readinessGates: [{ conditionType: "x/y" }] } })), {
    ContainersReady: ["True"],
    Ready: ["False", "ReadinessGatesNotReady", 'corresponding condition of pod readiness gate "x/y" does not exist.'],
  });
});

test("addresses and class", async (t) => {
  t.match(generate([running]), {
    hostIP: "192.168.1.1",
    podIP: "10.0.0.2",
    podIPs: [{ ip: "10.0.0.2" }],
    qosClass: "BestEffort",
    startTime: "2026-01-01T00:00:00Z",
  });
});

test("a refused pod tells of no containers, also after the kubelet starts anew", async (t) => {
  const verdict = { phase: "Failed", reason: "OutOfcpu", message: "Pod was rejected: x", refused: true } as const;
  const refused = generate([], { terminal: true, verdict });
  const { refused: _, ...words } = verdict;
  t.same(refused, { ...words, startTime: "2026-01-01T00:00:00Z", qosClass: "BestEffort" });
  t.same(generate([], { terminal: true, old: refused }), refused);
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
  t.same(told(generate([running], { pod })).filter(Boolean), []);
  pod.status = { observedGeneration: 3, conditions: [{ type: "Ready", status: "True", observedGeneration: 3 }] };
  t.same(told(generate([running], { pod })).filter(Boolean), [7, "Ready 7"]);
});
