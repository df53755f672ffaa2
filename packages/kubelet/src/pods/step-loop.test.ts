// When steps are taken, on a clock moved by hand.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { StepLoop } from "./step-loop.js";

/** A loop whose steps end when the test says so. */
function steppedLoop() {
  const clock = steppingClock();
  const begun: number[] = [];
  const failures: unknown[] = [];
  let settle: { resolve: (againMs?: number) => void; reject: (error: Error) => void } | undefined;
  const loop = new StepLoop({
    clock,
    step: (signal) => {
      begun.push(clock.now());
      return new Promise((resolve, reject) => {
        settle = { resolve, reject };
        signal.addEventListener("abort", () => reject(signal.reason));
      });
    },
    onFailure: (error) => failures.push(error),
  });
  const turn = () => clock.advance(0);
  return {
    loop,
    clock,
    begun,
    failures,
    async succeed(againMs?: number) {
      settle!.resolve(againMs);
      await turn();
    },
    async fail() {
      settle!.reject(new Error("no"));
      await turn();
    },
    turn,
  };
}

test("one at a time; what wakes it in between becomes one more", async (t) => {
  const { loop, begun, succeed } = steppedLoop();
  loop.wake();
  loop.wake();
  loop.news();
  t.equal(begun.length, 1);
  await succeed();
  t.equal(begun.length, 2);
  await succeed();
  t.equal(begun.length, 2, "at rest");
  loop.news();
  t.equal(begun.length, 3, "news wake it at once");
});

test("the next step when it is due", async (t) => {
  const { loop, clock, begun, succeed } = steppedLoop();
  loop.wake();
  await succeed(5_000);
  await clock.advance(4_999);
  t.equal(begun.length, 1);
  await clock.advance(1);
  t.equal(begun.length, 2);
});

test("what failed waits longer and longer, up to ten seconds; success forgives", async (t) => {
  const { loop, clock, begun, failures, fail, succeed } = steppedLoop();
  loop.wake();
  const waits: number[] = [];
  for (let i = 0; i < 8; i++) {
    const failedAt = clock.now();
    await fail();
    await clock.advance(11_000);
    waits.push(begun[i + 1]! - failedAt);
  }
  t.equal(failures.length, 8);
  for (const [i, least] of [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000, 10_000].entries())
    t.ok(waits[i]! >= least && waits[i]! <= least * 1.1, `${waits[i]} ms after failure ${i + 1}`);
  await succeed();
  loop.wake();
  await fail();
  const before = begun.length;
  await clock.advance(600);
  t.equal(begun.length, before + 1, "the first retry comes within 0.6 s");
});

test("news of a failed step's own doing wait", async (t) => {
  const { loop, clock, begun, fail } = steppedLoop();
  loop.wake();
  for (let i = 0; i < 6; i++) {
    loop.news();
    await fail();
    loop.news();
    loop.news();
    t.equal(begun.length, i + 1, "not at once");
    await clock.advance(1_000);
    t.equal(begun.length, i + 2, "but within upstream's period, however often it failed");
  }
  await fail();
  loop.wake();
  t.equal(begun.length, 8, "who wakes it otherwise is heard at once");
});

test("an interrupted step is no failure and begins anew", async (t) => {
  const { loop, begun, failures, turn } = steppedLoop();
  loop.wake();
  loop.interrupt();
  await turn();
  t.equal(begun.length, 2);
  t.same(failures, []);
});

test("stop ends the step and all timers", async (t) => {
  const { loop, clock, begun, succeed } = steppedLoop();
  loop.wake();
  await succeed(1_000);
  await loop.stop();
  loop.wake();
  loop.news();
  await clock.advance(10_000);
  t.equal(begun.length, 1);
  t.equal(clock.pending(), 0);
});

test("beginAfter waits for the others, whatever wakes it", async (t) => {
  const { loop, begun, turn } = steppedLoop();
  let end = () => {};
  loop.beginAfter(
    new Promise((resolve) => {
      end = resolve;
    }),
  );
  loop.wake();
  t.equal(begun.length, 0);
  end();
  await turn();
  t.equal(begun.length, 1);
});
