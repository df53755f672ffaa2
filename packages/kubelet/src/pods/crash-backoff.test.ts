// CrashLoopBackOff's arithmetic.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createCrashBackoff } from "./crash-backoff.js";

test("10 s, doubling to 5 min, forgotten after 10 min", async (t) => {
  const clock = steppingClock();
  const backoff = createCrashBackoff(clock);
  const waits: number[] = [];
  t.equal(backoff.admit("k", clock.now()).waitMs, 0, "the first restart is at once");
  for (let crash = 0; crash < 7; crash++) {
    const { waitMs } = backoff.admit("k", clock.now());
    waits.push(waitMs);
    const endedAt = clock.now();
    await clock.advance(waitMs);
    t.equal(backoff.admit("k", endedAt).waitMs, 0);
  }
  t.same(
    waits,
    [10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000),
  );
  await clock.advance(600_001);
  t.same(backoff.admit("k", clock.now()), { waitMs: 0, backoffMs: 10_000 }, "a long run forgives");
  backoff.forget("k");
  t.same(backoff.admit("k", clock.now()), { waitMs: 0, backoffMs: 10_000 });
});
