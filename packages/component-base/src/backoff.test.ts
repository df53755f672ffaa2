// Back-off, with a clock set by hand.

import { test } from "tap";
import { Backoff, exponential } from "./backoff.js";
import { realClock } from "./clock.js";

test("a series doubles up to its maximum and starts anew", async (t) => {
  const series = exponential({ initialMs: 100, maxMs: 350 });
  t.strictSame([series.next(), series.next(), series.next(), series.next()], [100, 200, 350, 350]);
  series.reset();
  t.equal(series.next(), 100);
  t.equal(exponential({ initialMs: 100, maxMs: 100, jitter: 0.5, random: () => 1 }).next(), 150);
});

test("keys back off apart from each other and are forgotten when idle", async (t) => {
  let nowMs = 0;
  const backoff = new Backoff({ clock: { ...realClock(), now: () => nowMs }, initialMs: 10_000, maxMs: 300_000 });
  t.equal(backoff.next("a"), 10_000);
  t.equal(backoff.next("a"), 20_000);
  t.equal(backoff.next("b"), 10_000);
  t.ok(backoff.isInBackoff("a"));
  nowMs = 20_000;
  t.notOk(backoff.isInBackoff("a"));
  nowMs = 700_000;
  t.equal(backoff.next("a"), 10_000);
  backoff.collectGarbage();
  t.equal(backoff.get("b"), 0);
});
