// CrashLoopBackOff's arithmetic.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createCrashBackoff } from "./crash-backoff.js";

test("10 s, doubling to 5 min, forgotten after 10 min", async (t) => {
  const clock = steppingClock();
  const backoff = createCrashBackoff(clock);
  const waits: number[] = [];
  t.equal(backoff.look("k", clock.now()).waitMs, 0, "the first restart is at once");
  backoff.count("k", clock.now());
  for (let crash = 0; crash < 7; crash++) {
    const endedAt = clock.now();
    const { waitMs } = backoff.look("k", endedAt);
    waits.push(waitMs);
    await clock.advance(waitMs);
    t.equal(backoff.look("k", endedAt).waitMs, 0);
    t.equal(backoff.look("k", endedAt).waitMs, 0, "to look is not to start");
    backoff.count("k", endedAt);
  }
  t.same(
    waits,
    [10, 20, 40, 80, 160, 300, 300].map((seconds) => seconds * 1000),
  );
  await clock.advance(600_001);
  t.equal(backoff.look("k", clock.now()).waitMs, 0, "a long run forgives");
  backoff.count("k", clock.now());
  t.same(backoff.look("k", clock.now()), { waitMs: 10_000, backoffMs: 10_000 });
  backoff.forget("k");
  t.equal(backoff.look("k", clock.now()).waitMs, 0);
});
