import { setImmediate as tick } from "node:timers/promises";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { boundedRunner } from "./bounded-runner.js";

test("runs at once, then at most once an interval, and again after a failure", async (t) => {
  const clock = steppingClock();
  let runs = 0;
  let fail = false;
  const runner = boundedRunner({
    clock,
    minIntervalMs: 100,
    maxIntervalMs: 30_000,
    retryIntervalMs: 5_000,
    async run() {
      runs++;
      if (fail) throw new Error("no");
    },
  });
  const step = async (ms: number) => {
    await clock.advance(ms);
    await tick();
  };
  runner.request();
  await step(0);
  t.equal(runs, 1);
  runner.request();
  runner.request();
  await step(50);
  t.equal(runs, 1, "too soon");
  await step(50);
  t.equal(runs, 2, "both requests in one run");
  fail = true;
  await step(30_000);
  t.equal(runs, 3, "by itself after the long interval");
  await step(5_000);
  t.equal(runs, 4, "again soon after a failure");
  await runner.stop();
  await step(60_000);
  t.equal(runs, 4);
});
