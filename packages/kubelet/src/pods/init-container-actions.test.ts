// Init containers and sidecars by table: what starts next, what is restarted meanwhile, what is killed.

import type { Container } from "@picokube/api/core/v1";
import { test } from "tap";
import type { ContainerStatus } from "../cri/runtime.js";
import { computeInitActions, type InitActions } from "./init-container-actions.js";
import type { Verdicts } from "./kill-reason.js";
import { type ObservedContainer, testContainer, testPod, testState } from "./observed.js";

const init = (name: string): Container => ({ name, image: "i" });
const sidecar = (name: string): Container => ({ ...init(name), restartPolicy: "Always" });
const probed = (name: string): Container => ({ ...sidecar(name), startupProbe: { exec: { command: ["x"] } } });
const [a, b, c] = [init("a"), init("b"), init("c")];
const [s1, s2, s3] = [sidecar("s1"), sidecar("s2"), sidecar("s3")];
const main = init("main");
const none: Verdicts = { liveness: () => undefined, startup: () => undefined };
const is = (container: Container, state: ObservedContainer["state"], exitCode = 0) =>
  testContainer({ container, state, exitCode });

interface Row {
  readonly name: string;
  readonly inits: Container[];
  readonly seen: ContainerStatus[];
  readonly verdicts?: Partial<Verdicts>;
  readonly never?: boolean;
  readonly expected: Partial<InitActions>;
}

const rows: Row[] = [
  { name: "nothing yet: the first alone", inits: [s1, a], seen: [], expected: { toStart: ["s1"], initialized: false } },
  { name: "a sidecar runs: the next", inits: [s1, a, s2], seen: [is(s1, "running")], expected: { toStart: ["a"] } },
  {
    name: "no next one before the startup probe has succeeded",
    inits: [probed("p"), a],
    seen: [is(probed("p"), "running")],
    expected: { toStart: [], initialized: false },
  },
  {
    name: "the startup probe has succeeded",
    inits: [probed("p"), a],
    seen: [is(probed("p"), "running")],
    verdicts: { startup: () => true },
    expected: { toStart: ["a"] },
  },
  {
    name: "the startup probe has failed: the sidecar anew, and nothing else",
    inits: [probed("p"), a],
    seen: [is(probed("p"), "running")],
    verdicts: { startup: () => false },
    expected: {
      toStart: ["p"],
      toKill: [{ id: "p-0", name: "p", message: "Init container p failed startup probe", reason: "StartupProbe" }],
    },
  },
  {
    name: "a failed liveness probe restarts a sidecar, and holds up nobody",
    inits: [s1, a],
    seen: [is(s1, "running")],
    verdicts: { liveness: () => false },
    expected: {
      toStart: ["s1", "a"],
      toKill: [{ id: "s1-0", name: "s1", message: "Init container s1 failed liveness probe", reason: "LivenessProbe" }],
    },
  },
  {
    name: "a sidecar that crashed before the next began is waited for",
    inits: [s1, a],
    seen: [is(s1, "exited", 1)],
    expected: { toStart: ["s1"], initialized: false },
  },
  {
    name: "a sidecar that crashed while a later one runs is restarted beside it",
    inits: [s1, a],
    seen: [is(a, "running"), is(s1, "exited", 1)],
    expected: { toStart: ["s1"], initialized: false },
  },
  {
    name: "a crashed sidecar does not hold up what follows a later init container",
    inits: [s1, a, b],
    seen: [is(a, "exited"), is(s1, "exited", 1)],
    expected: { toStart: ["s1", "b"] },
  },
  {
    name: "nor the pod, once the last is done",
    inits: [s1, a],
    seen: [is(a, "exited"), is(s1, "exited", 1)],
    expected: { toStart: ["s1"], initialized: true },
  },
  {
    name: "all sidecars that are gone come back, in order; init containers do not",
    inits: [s1, a, s2, s3],
    seen: [is(main, "running"), is(s3, "running")],
    expected: { toStart: ["s1", "s2"], initialized: true },
  },
  {
    name: "init containers before the last known one may have been removed",
    inits: [a, b, c],
    seen: [is(b, "exited")],
    expected: { toStart: ["c"], initialized: false },
  },
  {
    name: "a failed one again",
    inits: [a, b],
    seen: [is(a, "exited", 1)],
    expected: { toStart: ["a"], failed: false },
  },
  {
    name: "a failed one with Never fails the pod, whatever its sidecars",
    inits: [s1, a],
    seen: [is(a, "exited", 1), is(s1, "exited", 1)],
    never: true,
    expected: { toStart: [], failed: true, initialized: false },
  },
  {
    name: "with Never sidecars restart all the same",
    inits: [s1, a],
    seen: [is(a, "running"), is(s1, "exited")],
    never: true,
    expected: { toStart: ["s1"], failed: false },
  },
  {
    name: "a changed image replaces a sidecar",
    inits: [s1],
    seen: [testContainer({ container: s1, state: "running", hash: "other" })],
    expected: {
      toStart: ["s1"],
      toKill: [{ id: "s1-0", name: "s1", message: "Init container s1 definition changed", reason: "Changed" }],
      initialized: true,
    },
  },
];

test("computeInitActions", async (t) => {
  for (const { name, inits, seen, verdicts, never, expected } of rows) {
    const pod = testPod({ initContainers: inits, containers: [main], ...(never ? { restartPolicy: "Never" } : {}) });
    t.match(computeInitActions(pod, testState(seen), { ...none, ...verdicts }), expected, name);
    if (expected.toStart) {
      t.same(computeInitActions(pod, testState(seen), { ...none, ...verdicts }).toStart, expected.toStart, name);
    }
  }
});
