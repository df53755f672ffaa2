// How much runs at once, who is next, and who gives up.

import { test } from "tap";
import { createSlots } from "./slots.js";

function controlled() {
  const finish: (() => void)[] = [];
  const begun: string[] = [];
  const work = (name: string) => () => {
    begun.push(name);
    return new Promise<string>((resolve) => finish.push(() => resolve(name)));
  };
  return { begun, finish, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("no more than the count at once, the others in the order of asking", async (t) => {
  const slots = createSlots(2);
  const { begun, finish, work } = controlled();
  const all = ["a", "b", "c", "d"].map((name) => slots.use(work(name)));
  await turn();
  t.strictSame(begun, ["a", "b"]);
  finish[1]!();
  await turn();
  t.strictSame(begun, ["a", "b", "c"]);
  for (let i = 0; i < 4; i++) {
    for (const each of finish) each();
    await turn();
  }
  t.strictSame(await Promise.all(all), ["a", "b", "c", "d"]);
});

test("a failure frees its slot; who gives up waiting takes none", async (t) => {
  const slots = createSlots(1);
  const { begun, finish, work } = controlled();
  await t.rejects(
    slots.use(() => Promise.reject(new Error("no"))),
    { message: "no" },
  );
  const first = slots.use(work("first"));
  const impatient = new AbortController();
  const given = slots.use(work("given up"), impatient.signal);
  const last = slots.use(work("last"));
  impatient.abort(new Error("enough"));
  await t.rejects(given, { message: "enough" });
  await t.rejects(slots.use(work("late"), impatient.signal), { message: "enough" });
  finish[0]!();
  t.equal(await first, "first");
  await turn();
  finish[1]!();
  t.equal(await last, "last");
  t.strictSame(begun, ["first", "last"]);
  const again = slots.use(work("again"));
  await turn();
  finish[2]!();
  t.equal(await again, "again", "the slot is free again");
});
