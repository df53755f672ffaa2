// A runtime that hangs is down after upstream's thirty seconds, and up as soon as it answers.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createMemoryRuntime } from "../cri/memory/memory-runtime.js";
import { createRuntimeSync } from "./runtime-sync.js";

const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

test("a runtime that hangs", async (t) => {
  const clock = steppingClock();
  const runtime = createMemoryRuntime({ clock, images: [] });
  let go = () => {};
  let hang: Promise<void> | undefined;
  const version = async () => {
    await hang;
    return runtime.version();
  };
  const sync = createRuntimeSync({ runtime: { ...runtime, version }, clock });
  const stop = new AbortController();
  const running = sync.run(stop.signal);
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 5) {
      await clock.advance(5_000);
      await settle();
    }
  };
  await pass(60);
  t.same(sync.problems(), [], "it answers");

  hang = new Promise((resolve) => {
    go = resolve;
  });
  await pass(30);
  t.same(sync.problems(), [], "not yet");
  await pass(5);
  t.same(sync.problems(), ["container runtime is down"]);
  await pass(300);
  t.same(sync.problems(), ["container runtime is down"]);

  hang = undefined;
  go();
  await settle();
  t.same(sync.problems(), [], "the first answer counts");
  stop.abort();
  await clock.advance(5_000);
  await running;
});
