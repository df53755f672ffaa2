// computePodActions by table.

import type { Container, PodSpec } from "@picokube/api/core/v1";
import { test } from "tap";
import type { PodState } from "../parts.js";
import { testContainer, testPod, testSandbox, testState } from "./observed.js";
import { computePodActions, isIdle, type PodActions } from "./pod-actions.js";

const none = { liveness: () => undefined, startup: () => undefined };
const init = { name: "init", image: "i" };
const second = { name: "second", image: "i" };
const sidecar: Container = { name: "side", image: "i", restartPolicy: "Always" };
const slowSidecar: Container = { ...sidecar, startupProbe: { exec: { command: ["x"] } } };
const c = { name: "c", image: "i" };

interface Row {
  readonly name: string;
  readonly spec?: Partial<PodSpec>;
  readonly state: PodState;
  readonly verdicts?: { liveness(id: string): boolean | undefined; startup(id: string): boolean | undefined };
  readonly expected: Partial<PodActions>;
}

const rows: Row[] = [
  {
    name: "a new pod gets a sandbox and its containers",
    state: testState([], []),
    expected: { createSandbox: true, attempt: 0, sandboxId: undefined, containersToStart: ["c"] },
  },
  {
    name: "a new pod with init containers starts the first alone",
    spec: { initContainers: [init, second] },
    state: testState([], []),
    expected: { createSandbox: true, initContainersToStart: ["init"], containersToStart: [] },
  },
  {
    name: "a dead sandbox is replaced",
    state: testState([testContainer({ state: "exited", exitCode: 137 })], [testSandbox({ ready: false })]),
    expected: { killPod: true, createSandbox: true, attempt: 1, sandboxId: "s0", containersToStart: ["c"] },
  },
  {
    name: "but not for a pod that never restarts",
    spec: { restartPolicy: "Never" },
    state: testState([testContainer({ state: "exited" })], [testSandbox({ ready: false })]),
    expected: { killPod: true, createSandbox: false, containersToStart: [] },
  },
  {
    name: "OnFailure: a new sandbox leaves out what has succeeded",
    spec: { restartPolicy: "OnFailure", containers: [c, second] },
    state: testState([testContainer({ state: "exited" })], [testSandbox({ ready: false })]),
    expected: { createSandbox: true, containersToStart: ["second"] },
  },
  {
    name: "Always: an exited container restarts",
    state: testState([testContainer({ state: "exited" })]),
    expected: { killPod: false, containersToStart: ["c"] },
  },
  {
    name: "OnFailure: a succeeded container ends the pod",
    spec: { restartPolicy: "OnFailure" },
    state: testState([testContainer({ state: "exited" })]),
    expected: { killPod: true, createSandbox: false, containersToStart: [] },
  },
  {
    name: "OnFailure: a failed container restarts",
    spec: { restartPolicy: "OnFailure" },
    state: testState([testContainer({ state: "exited", exitCode: 1 })]),
    expected: { containersToStart: ["c"] },
  },
  {
    name: "a container that somebody removed comes back",
    state: testState([]),
    expected: { containersToStart: ["c"] },
  },
  {
    name: "a changed image replaces the container",
    state: testState([testContainer({ state: "running", hash: "other" })]),
    expected: {
      containersToStart: ["c"],
      containersToKill: [
        { id: "c-0", name: "c", message: "Container c definition changed, will be restarted", reason: "Changed" },
      ],
    },
  },
  {
    name: "a failed liveness probe restarts",
    state: testState([testContainer({ state: "running" })]),
    verdicts: { liveness: () => false, startup: () => true },
    expected: {
      containersToStart: ["c"],
      containersToKill: [
        {
          id: "c-0",
          name: "c",
          message: "Container c failed liveness probe, will be restarted",
          reason: "LivenessProbe",
        },
      ],
    },
  },
  {
    name: "a failed startup probe with Never ends the pod",
    spec: { restartPolicy: "Never" },
    state: testState([testContainer({ state: "running" })]),
    verdicts: { liveness: () => undefined, startup: () => false },
    expected: {
      killPod: true,
      containersToStart: [],
      containersToKill: [{ id: "c-0", name: "c", message: "Container c failed startup probe", reason: "StartupProbe" }],
    },
  },
  {
    name: "the next init container follows the first",
    spec: { initContainers: [init, second] },
    state: testState([testContainer({ container: init, state: "exited" })]),
    expected: { initContainersToStart: ["second"], containersToStart: [] },
  },
  {
    name: "a failed init container is run again",
    spec: { initContainers: [init] },
    state: testState([testContainer({ container: init, state: "exited", exitCode: 1 })]),
    expected: { initContainersToStart: ["init"], killPod: false },
  },
  {
    name: "a failed init container with Never fails the pod",
    spec: { initContainers: [init], restartPolicy: "Never" },
    state: testState([testContainer({ container: init, state: "exited", exitCode: 1 })]),
    expected: { killPod: true, initContainersToStart: [] },
  },
  {
    name: "init containers done: the regular ones start",
    spec: { initContainers: [init, second] },
    state: testState([testContainer({ container: second, state: "exited" })]),
    expected: { initContainersToStart: [], containersToStart: ["c"] },
  },
  {
    name: "an init container of the old sandbox does not count",
    spec: { initContainers: [init] },
    state: testState(
      [testContainer({ container: init, state: "exited", sandboxId: "s0" })],
      [testSandbox({ id: "s1", attempt: 1 }), testSandbox({ ready: false })],
    ),
    expected: { initContainersToStart: ["init"], containersToStart: [] },
  },
  {
    name: "a running sidecar lets the pod go on",
    spec: { initContainers: [sidecar] },
    state: testState([testContainer({ container: sidecar, state: "running" })]),
    expected: { initContainersToStart: [], containersToStart: ["c"] },
  },
  {
    name: "a sidecar that ended restarts beside the regular containers",
    spec: { initContainers: [sidecar] },
    state: testState([
      testContainer({ container: sidecar, state: "exited", exitCode: 1 }),
      testContainer({ state: "running" }),
    ]),
    expected: { initContainersToStart: ["side"], containersToStart: [], killPod: false },
  },
  {
    name: "a sidecar is not revived for a pod that is done",
    spec: { initContainers: [sidecar], restartPolicy: "Never" },
    state: testState([testContainer({ container: sidecar, state: "exited" }), testContainer({ state: "exited" })]),
    expected: { initContainersToStart: [], killPod: true },
  },
  {
    name: "an ephemeral container is started once",
    spec: { ephemeralContainers: [{ name: "debug", image: "i" }] },
    state: testState([testContainer({ state: "running" })]),
    expected: { ephemeralContainersToStart: ["debug"] },
  },
];

test("computePodActions", async (t) => {
  for (const { name, spec, state, verdicts = none, expected } of rows) {
    t.match(computePodActions(testPod(spec), state, verdicts), expected, name);
  }
});

test("nothing to do", async (t) => {
  const running = testState([testContainer({ state: "running" })]);
  t.ok(isIdle(computePodActions(testPod(), running, none)));
  const initRuns = testState([testContainer({ container: init, state: "running" })]);
  t.ok(isIdle(computePodActions(testPod({ initContainers: [init] }), initRuns, none)));
  const starting = testState([testContainer({ container: slowSidecar, state: "running" })]);
  t.ok(isIdle(computePodActions(testPod({ initContainers: [slowSidecar] }), starting, none)));
});
