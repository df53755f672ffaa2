// Which dead containers are kept.

import { test } from "tap";
import type { ContainerState, Runtime } from "../cri/runtime.js";
import { removeDeadContainers, removePodFromRuntime } from "./collect-containers.js";
import { testContainer, testSandbox, testState } from "./observed.js";

const collection = { policy: { maxPerContainer: 1, max: -1, minAgeMs: 0 }, nowMs: 60_000 };

test("the last dead attempt of each container stays", async (t) => {
  const newestFirst = (...states: ContainerState[]) =>
    states.map((state, index) => testContainer({ state, attempt: states.length - 1 - index }));
  for (const [states, removed] of [
    [["running"], []],
    [["running", "exited"], []],
    [["running", "exited", "exited"], ["c-0"]],
    [
      ["exited", "exited", "exited"],
      ["c-1", "c-0"],
    ],
    [["created"], []],
    [["created", "exited"], []],
    [["running", "created", "exited"], ["c-1"]],
    [["running", "unknown"], []],
  ] as const) {
    const gone: string[] = [];
    const runtime = { removeContainer: async (id: string) => void gone.push(id) } as unknown as Runtime;
    await removeDeadContainers(runtime, testState(newestFirst(...states)), collection);
    t.same(gone, removed, states.join(" "));
  }
});

test("a replaced sandbox goes when nothing was in it", async (t) => {
  const gone: string[] = [];
  const runtime = { removeSandbox: async (id: string) => void gone.push(id) } as unknown as Runtime;
  const sandboxes = [2, 1, 0].map((attempt) => testSandbox({ id: `s${attempt}`, attempt, ready: attempt === 2 }));
  await removeDeadContainers(
    runtime,
    testState([testContainer({ state: "exited", sandboxId: "s0" })], sandboxes),
    collection,
  );
  t.same(gone, ["s1"]);
});

test("what the engine cannot remove holds up nothing else, and is told of", async (t) => {
  const gone: string[] = [];
  const busy = new Error("driver failed to remove root filesystem: device or resource busy");
  const remove = async (id: string) => {
    if (id === "s1" || id === "c-0") throw busy;
    gone.push(id);
  };
  const runtime = { removeSandbox: remove, removeContainer: remove } as unknown as Runtime;
  const sandboxes = [2, 1, 0].map((attempt) => testSandbox({ id: `s${attempt}`, attempt, ready: attempt === 2 }));
  const containers = [2, 1, 0].map((attempt) => testContainer({ state: "exited", attempt, sandboxId: "s2" }));
  const state = testState(containers, sandboxes);
  const left = [
    { id: "c-0", error: busy },
    { id: "s1", error: busy },
  ];
  t.same(await removeDeadContainers(runtime, state, collection), left);
  t.same(gone, ["c-1", "s0"]);
  gone.length = 0;
  t.same(await removePodFromRuntime(runtime, state), left);
  t.same(gone, ["c-2", "c-1", "s2", "s0"]);
});
