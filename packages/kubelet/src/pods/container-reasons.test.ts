// What the API shows of a container, by table: each reason that the kubelet gives, with last state, restart count, the
// pod's phase and its Ready condition.

import type { Container, PodSpec, PodStatus } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { test } from "tap";
import { testContainer, testSandbox, testState } from "./observed.js";
import { testStatus } from "./pod-status.testing.js";

const init: Container = { name: "init", image: "i" };
const side: Container = { name: "side", image: "i", restartPolicy: "Always" };
const never: Partial<PodSpec> = { restartPolicy: "Never" };
const withInit: Partial<PodSpec> = { initContainers: [init] };
const withSide: Partial<PodSpec> = { initContainers: [side], restartPolicy: "Never" };
const running = testContainer({ state: "running" });
const failed = testContainer({ state: "exited", exitCode: 1 });
const succeeded = testContainer({ state: "exited" });
const cannotRun = { ...testContainer({ state: "exited", exitCode: 127 }), error: "no such file" };
const failure = (reason: string, message = "m") => new Map([["c", { reason, message }]]);
const lostWords = "The container could not be located when the pod was deleted.  The container used to be Running";
const lost = { exitCode: 137, reason: "ContainerStatusUnknown" };
const ready = ["True", undefined, undefined];
const unready = ["False", "ContainersNotReady", "containers with unready status: [c]"];
const over = (reason: string) => ["False", reason, undefined];

interface Row {
  readonly name: string;
  readonly status: PodStatus;
  readonly phase: string;
  readonly state: object;
  readonly lastState?: object;
  readonly restarts?: number;
  /** Of the Ready condition: status, reason, message. */
  readonly ready: unknown[];
}

const waitingReasons = [
  ...["CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"],
  ...["ImageInspectError", "CreateContainerConfigError", "CreateContainerError"],
];

const rows: Row[] = [
  {
    name: "nothing yet",
    status: testStatus([], { state: testState([], []) }),
    phase: "Pending",
    state: { waiting: { reason: "ContainerCreating" } },
    ready: unready,
  },
  {
    name: "an init container first",
    status: testStatus([testContainer({ container: init, state: "running" })], { spec: withInit }),
    phase: "Pending",
    state: { waiting: { reason: "PodInitializing" } },
    ready: unready,
  },
  ...waitingReasons.map((reason) => ({
    name: reason,
    status: testStatus([], { failures: failure(reason) }),
    phase: "Pending",
    state: { waiting: { reason, message: "m" } },
    ready: unready,
  })),
  {
    name: "created, about to start",
    status: testStatus([testContainer({ state: "created" })]),
    phase: "Pending",
    state: { waiting: {} },
    ready: unready,
  },
  { name: "running", status: testStatus([running]), phase: "Running", state: { running: {} }, ready },
  {
    name: "Completed",
    status: testStatus([succeeded], { spec: never }),
    phase: "Succeeded",
    state: { terminated: { exitCode: 0, reason: "Completed" } },
    ready: over("PodCompleted"),
  },
  {
    name: "Error",
    status: testStatus([failed], { spec: never }),
    phase: "Failed",
    state: { terminated: { exitCode: 1, reason: "Error" } },
    ready: over("PodFailed"),
  },
  {
    name: "OOMKilled, in back-off, of the third attempt",
    status: testStatus([{ ...testContainer({ state: "exited", exitCode: 137, attempt: 2 }), oomKilled: true }], {
      failures: failure("CrashLoopBackOff"),
    }),
    phase: "Running",
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: { terminated: { exitCode: 137, reason: "OOMKilled" } },
    restarts: 2,
    ready: unready,
  },
  {
    name: "RunContainerError",
    status: testStatus([cannotRun], { failures: failure("RunContainerError"), terminationMessage: () => "" }),
    phase: "Running",
    state: { waiting: { reason: "RunContainerError" } },
    lastState: { terminated: { exitCode: 127, reason: "ContainerCannotRun", message: "no such file" } },
    ready: unready,
  },
  {
    name: "the engine's words come before the container's own",
    status: testStatus([cannotRun], { spec: never, terminationMessage: () => "bye" }),
    phase: "Failed",
    state: { terminated: { message: "no such file: bye" } },
    ready: over("PodFailed"),
  },
  {
    name: "lost while it ran",
    status: testStatus([], { old: testStatus([running]) }),
    phase: "Running",
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: { terminated: { ...lost, message: lostWords } },
    restarts: 1,
    ready: unready,
  },
  {
    name: "lost, told twice: counted once",
    status: testStatus([], { old: testStatus([], { old: testStatus([running]) }) }),
    phase: "Running",
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: { terminated: lost },
    restarts: 1,
    ready: unready,
  },
  {
    name: "the one after it knows",
    status: testStatus([testContainer({ state: "running", attempt: 1 })], {
      old: testStatus([], { old: testStatus([running]) }),
    }),
    phase: "Running",
    state: { running: {} },
    lastState: { terminated: lost },
    restarts: 1,
    ready,
  },
  {
    name: "the one before it was removed while it waited",
    status: testStatus([testContainer({ state: "running", attempt: 1 })], {
      old: testStatus([failed], { failures: failure("CrashLoopBackOff") }),
    }),
    phase: "Running",
    state: { running: {} },
    lastState: { terminated: { exitCode: 1, reason: "Error", containerID: "docker://c-0" } },
    restarts: 1,
    ready,
  },
  {
    name: "lost with Never: the pod has failed",
    status: testStatus([], { spec: never, old: testStatus([running], { spec: never }) }),
    phase: "Failed",
    state: { waiting: { reason: "ContainerCreating" } },
    lastState: { terminated: lost },
    restarts: 1,
    ready: over("PodFailed"),
  },
  {
    name: "deleted before its image was there",
    status: testStatus([], { terminal: true, deleted: true, old: testStatus([]) }),
    phase: "Failed",
    state: {
      terminated: { ...lost, message: "The container could not be located when the pod was terminated" },
    },
    ready: over("PodFailed"),
  },
  {
    name: "deleted while an init container ran: the regular one was never wanted",
    status: testStatus([testContainer({ container: init, state: "exited", exitCode: 137 })], {
      terminal: true,
      deleted: true,
      spec: withInit,
    }),
    phase: "Failed",
    state: { waiting: { reason: "PodInitializing" } },
    ready: over("PodFailed"),
  },
  {
    name: "collected after its end",
    status: testStatus([], { spec: never, old: testStatus([failed], { spec: never }) }),
    phase: "Failed",
    state: { terminated: { exitCode: 1, reason: "Error" } },
    ready: over("PodFailed"),
  },
  {
    name: "a sidecar that still runs keeps its pod Running",
    status: testStatus([succeeded, testContainer({ container: side, state: "running" })], { spec: withSide }),
    phase: "Running",
    state: { terminated: { reason: "Completed" } },
    ready: unready,
  },
  {
    name: "how a sidecar ended says nothing of the pod",
    status: testStatus([succeeded, testContainer({ container: side, state: "exited", exitCode: 137 })], {
      spec: withSide,
    }),
    phase: "Succeeded",
    state: { terminated: { reason: "Completed" } },
    ready: over("PodCompleted"),
  },
  ...(["Evicted", "DeadlineExceeded", "Terminated", "Preempting"] as const).map((reason) => ({
    name: reason,
    status: testStatus([testContainer({ state: "exited", exitCode: 143 })], {
      terminal: true,
      verdict: { phase: "Failed", reason, message: "m" },
    }),
    phase: "Failed",
    state: { terminated: { exitCode: 143, reason: "Error" } },
    ready: over("PodFailed"),
  })),
];

test("what the API shows of a container", async (t) => {
  for (const { name, status, phase, state, lastState, restarts = 0, ready } of rows) {
    const [container] = status.containerStatuses ?? [];
    t.equal(status.phase, phase, `${name}: phase`);
    t.match(container?.state, state, `${name}: state`);
    if (lastState) t.match(container?.lastState, lastState, `${name}: last state`);
    else t.same(container?.lastState, {}, `${name}: no last state`);
    t.equal(container?.restartCount, restarts, `${name}: restarts`);
    const found = podCondition(status, "Ready");
    t.same([found?.status, found?.reason, found?.message], ready, `${name}: Ready`);
    t.equal(container?.ready, ready[0] === "True", `${name}: ready`);
  }
});

test("init containers behind the last that was started stay as they are", async (t) => {
  const spec = { initContainers: [init, side, { name: "later", image: "i" }] };
  const seen = [testContainer({ container: init, state: "exited" })];
  const old = testStatus([...seen, testContainer({ container: side, state: "running" })], { spec });
  t.match(testStatus(seen, { spec, old, terminal: true, deleted: true }).initContainerStatuses, [
    { state: { terminated: { reason: "Completed" } }, restartCount: 0 },
    { state: { terminated: lost }, lastState: { terminated: { ...lost, message: lostWords } }, restartCount: 0 },
    { state: { waiting: { reason: "PodInitializing" } } },
  ]);
});

test("last words share 12 KiB between the pod's containers, and end with a whole character", async (t) => {
  const said = "é".repeat(10_000);
  const message = (spec: Partial<PodSpec>) =>
    testStatus([failed], { spec, terminationMessage: () => said }).containerStatuses?.find(({ name }) => name === "c")
      ?.state?.terminated?.message ?? "";
  t.equal(Buffer.byteLength(message({})), 12 * 1024);
  const shared = message({ containers: ["a", "b", "c", "d", "e"].map((name) => ({ name, image: "i" })) });
  t.equal(Buffer.byteLength(shared), 2456, "of 2457 bytes the last is half a character");
  t.match(shared, /^é+$/);
});

test("the sandbox's condition", async (t) => {
  const of = (status: PodStatus) => podCondition(status, "PodReadyToStartContainers")?.status;
  t.equal(of(testStatus([running])), "True");
  t.equal(of(testStatus([], { state: testState([], [testSandbox({ ready: false })]) })), "False");
  t.equal(of(testStatus([], { state: testState([], []) })), "False");
});
