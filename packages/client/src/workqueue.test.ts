// The queue's promises, with a clock that steps.

import type { Clock } from "@picokube/component-base/clock";
import { test } from "tap";
import { WorkQueue } from "./workqueue.js";

function handClock() {
  let nowMs = 0;
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    after(delayMs, callback) {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return { cancel: () => void timers.delete(timer) };
    },
    sleep: async () => {},
  };
  return {
    clock,
    advance(ms: number) {
      nowMs += ms;
      for (const timer of [...timers])
        if (timer.dueMs <= nowMs) {
          timers.delete(timer);
          timer.callback();
        }
    },
  };
}

test("a key waits once and is never worked on twice at a time", async (t) => {
  const queue = new WorkQueue({ clock: handClock().clock });
  queue.add("a");
  queue.add("a");
  queue.add("b");
  t.equal(queue.length, 2);
  t.equal(await queue.get(), "a");
  queue.add("a");
  t.equal(await queue.get(), "b");
  t.equal(queue.length, 0, "a is still being worked on");
  queue.done("a");
  t.equal(await queue.get(), "a");
});

test("failures wait longer each time; success forgets them", async (t) => {
  const { clock, advance } = handClock();
  const queue = new WorkQueue({ clock });
  for (const waitMs of [5, 10, 20]) {
    queue.addRateLimited("a");
    advance(waitMs - 1);
    t.equal(queue.length, 0);
    advance(1);
    t.equal(queue.length, 1);
    queue.done((await queue.get())!);
  }
  queue.forget("a");
  t.equal(queue.failures("a"), 0);
});

test("of several delays the earliest holds; a shut queue answers undefined", async (t) => {
  const { clock, advance } = handClock();
  const queue = new WorkQueue({ clock });
  queue.addAfter("a", 100);
  queue.addAfter("a", 50);
  queue.addAfter("a", 200);
  advance(50);
  t.equal(await queue.get(), "a");
  advance(500);
  queue.done("a");
  t.equal(queue.length, 0);
  const waiting = queue.get();
  queue.shutDown();
  t.equal(await waiting, undefined);
});
