// With real, short times: who is removed is never told, all others are, once and in order.

import { test } from "tap";
import { createDeadlines } from "./deadlines.js";

test("what is not removed in time is told", async (t) => {
  const deadlines = createDeadlines(40);
  const told: string[] = [];
  const expiry = (name: string) => new Promise<void>((resolve) => deadlines.add(() => resolve(void told.push(name))));
  const removed = deadlines.add(() => told.push("removed"));
  const first = expiry("first");
  const second = expiry("second");
  deadlines.remove(removed);
  deadlines.remove(undefined);
  t.same(told, [], "not before their time");
  // The timer of the deadlines does not keep a process alive.
  const alive = setInterval(() => {}, 1000);
  t.teardown(() => clearInterval(alive));
  await Promise.all([first, second]);
  t.same(told, ["first", "second"]);
  await expiry("later");
  t.same(told, ["first", "second", "later"], "each once; the timer starts again");
});
