// How long the engine may take, on a clock moved by hand.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createMemoryRuntime } from "./memory/memory-runtime.js";
import { withRequestTimeout } from "./request-timeout.js";
import type { Runtime } from "./runtime.js";

const timeoutMs = 120_000;

test("an engine that never answers", async (t) => {
  const clock = steppingClock();
  const never = () => new Promise<never>(() => {});
  const hung = new Proxy({} as Runtime, { get: () => never, ownKeys: () => [] });
  const runtime = withRequestTimeout(hung, { timeoutMs, clock });
  const config = {} as never;
  const requests: [string, () => Promise<unknown>, number][] = [
    ["listContainers", () => runtime.listContainers(), timeoutMs],
    ["startContainer", () => runtime.startContainer("a"), timeoutMs],
    ["createContainer", () => runtime.createContainer("a", config), timeoutMs],
    ["removeSandbox", () => runtime.removeSandbox("a"), timeoutMs],
    ["runSandbox", () => runtime.runSandbox(config), 2 * timeoutMs],
    ["stopContainer", () => runtime.stopContainer("a", 600), timeoutMs + 600_000],
    ["execSync", () => runtime.execSync("a", [], 1_000), timeoutMs + 1_000],
  ];
  for (const [name, ask, limitMs] of requests) {
    let failure: Error | undefined;
    ask().catch((error: Error) => {
      failure = error;
    });
    await clock.advance(limitMs - 1);
    t.equal(failure, undefined, `${name} may still answer`);
    await clock.advance(1);
    t.equal(failure?.message, "context deadline exceeded", name);
  }
});

test("one that answers leaves no timer", async (t) => {
  const clock = steppingClock();
  const engine = createMemoryRuntime({ clock, images: [] });
  const runtime = withRequestTimeout(engine, { timeoutMs, clock });
  t.same(await runtime.listContainers(), []);
  t.same(await runtime.version(), await engine.version());
  await t.rejects(runtime.containerStatus("a"), { message: "No such container: a" });
  t.equal(clock.pending(), 0);
});
