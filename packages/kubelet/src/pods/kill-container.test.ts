// How long each container of a pod has to end, by a clock that steps: the engine is told when, and with which grace.

import type { Container, Pod } from "@picokube/api/core/v1";
import { createLogger } from "@picokube/component-base/logger";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { killContainer, killPod } from "./kill-container.js";
import type { KillReason } from "./kill-reason.js";
import { testContainer, testPod, testState } from "./observed.js";
import type { PodContext } from "./pod-context.js";

/** An engine whose containers take so many seconds to end, at most their grace. */
function engine(takesSeconds: Readonly<Record<string, number>>) {
  const clock = steppingClock();
  const beganMs = clock.now();
  const stops: string[] = [];
  const said: string[] = [];
  const context = {
    clock,
    logger: createLogger({ name: "t", verbosity: 0 }),
    network: { owners: () => [] },
    events: {
      normal: (_: Pod, { reason, message }: { reason: string; message: string }) => said.push(`${reason}: ${message}`),
      warning: (_: Pod, { reason, message }: { reason: string; message: string }) => said.push(`${reason}: ${message}`),
    },
    runtime: {
      stopSandbox: async () => undefined,
      stopContainer: async (id: string, graceSeconds: number) => {
        const name = id.replace(/-0$/, "");
        stops.push(`${name} at ${(clock.now() - beganMs) / 1000} s with ${graceSeconds} s`);
        const seconds = Math.min(takesSeconds[name] ?? 0, graceSeconds);
        if (seconds > 0) await clock.sleep(seconds * 1000);
      },
    },
  } as unknown as PodContext;
  return { context, clock, stops, said };
}

const signal = new AbortController().signal;
const plain = (name: string): Container => ({ name, image: "i" });
const sidecar = (name: string): Container => ({ ...plain(name), restartPolicy: "Always" });
const hooked = (container: Container, seconds: number): Container => ({
  ...container,
  lifecycle: { preStop: { sleep: { seconds } } },
});

interface Row {
  readonly name: string;
  readonly inits?: Container[];
  readonly containers?: Container[];
  readonly takes?: Readonly<Record<string, number>>;
  readonly graceSeconds: number;
  readonly stops: string[];
}

const rows: Row[] = [
  { name: "at least two seconds", takes: { main: 9 }, graceSeconds: 1, stops: ["main at 0 s with 2 s"] },
  {
    name: "the hook's time is taken off, in whole seconds",
    containers: [hooked(plain("main"), 12)],
    graceSeconds: 30,
    stops: ["main at 12 s with 18 s"],
  },
  {
    name: "a hook that takes it all",
    containers: [hooked(plain("main"), 100)],
    graceSeconds: 30,
    stops: ["main at 30 s with 2 s"],
  },
  {
    name: "sidecars in turn, with what is left",
    inits: [sidecar("s1"), sidecar("s2")],
    takes: { main: 5, s2: 3 },
    graceSeconds: 30,
    stops: ["main at 0 s with 30 s", "s2 at 5 s with 25 s", "s1 at 8 s with 22 s"],
  },
  {
    name: "a container that heeds nothing: when the grace is over all are told, with two seconds each",
    inits: [sidecar("s1"), sidecar("s2")],
    takes: { main: 100 },
    graceSeconds: 30,
    stops: ["main at 0 s with 30 s", "s2 at 30 s with 2 s", "s1 at 30 s with 2 s"],
  },
  {
    name: "hooks run all at once, before anybody's turn",
    inits: [hooked(sidecar("s1"), 8), hooked(sidecar("s2"), 4)],
    containers: [hooked(plain("main"), 6)],
    graceSeconds: 30,
    stops: ["main at 6 s with 24 s", "s2 at 6 s with 24 s", "s1 at 8 s with 22 s"],
  },
];

test("killPod", async (t) => {
  for (const { name, inits = [], containers = [plain("main")], takes = {}, graceSeconds, stops } of rows) {
    const found = engine(takes);
    const state = testState(
      [...inits, ...containers].map((container) => testContainer({ container, state: "running" })),
    );
    const done = killPod(found.context, testPod({ initContainers: inits, containers }), state, {
      graceSeconds,
      signal,
    });
    await found.clock.whenWaiting(1);
    await found.clock.advance(600_000);
    await done;
    t.same(found.stops, stops, name);
    t.same(
      found.said.sort(),
      [...inits, ...containers].map((container) => `Killing: Stopping container ${container.name}`).sort(),
      `${name}: all are told at once, and no hook has failed`,
    );
  }
});

test("one container: the pod's deletion, its probe, its pod", async (t) => {
  const probe = (seconds: number) => ({ exec: { command: ["x"] }, terminationGracePeriodSeconds: seconds });
  const container = { ...plain("main"), livenessProbe: probe(7), startupProbe: probe(8) };
  const table: [KillReason, number | undefined, number][] = [
    ["LivenessProbe", undefined, 7],
    ["StartupProbe", undefined, 8],
    ["Changed", undefined, 40],
    ["LivenessProbe", 11, 11],
  ];
  for (const [reason, deletionGracePeriodSeconds, expected] of table) {
    const { context, stops } = engine({});
    const pod = testPod({ containers: [container], terminationGracePeriodSeconds: 40 });
    if (deletionGracePeriodSeconds) pod.metadata.deletionGracePeriodSeconds = deletionGracePeriodSeconds;
    const status = testContainer({ container, state: "running" });
    await killContainer(context, pod, status, { reason, podIp: undefined, signal });
    t.same(stops, [`main at 0 s with ${expected} s`], reason);
  }
});

test("a hook that fails is told, and the container ends all the same", async (t) => {
  const { context, stops, said } = engine({});
  const container: Container = { ...plain("main"), lifecycle: { preStop: { httpGet: { port: "nope" } } } };
  const status = testContainer({ container, state: "running" });
  await killContainer(context, testPod({ containers: [container] }), status, { podIp: "127.0.0.1", signal });
  t.same(said, ["Killing: Stopping container main", "FailedPreStopHook: PreStopHook failed"]);
  t.same(stops, ["main at 0 s with 30 s"]);
});
