// What counts as found, and what is said when nothing is.

import { test } from "tap";
import { eventually } from "./eventually.js";

test("looks again until it finds something", async (t) => {
  const seen: (() => unknown)[] = [
    () => undefined,
    () => false,
    () => "",
    () => {
      throw new Error("refused");
    },
    () => "here",
  ];
  t.equal(await eventually("it comes", async () => seen.shift()!()), "here");
  t.equal(seen.length, 0);
});

test("says what did not come, and why", async (t) => {
  const why = new Error("connection refused");
  const refused = eventually("it answers", () => Promise.reject(why), 0);
  await t.rejects(refused, { message: "it answers: not within 0 s: connection refused", cause: why });
  await t.rejects(
    eventually("it is so", async () => false as const, 0),
    { message: "it is so: not within 0 s" },
  );
});

test("does not wait for a look that never ends", async (t) => {
  const never = eventually("it answers", () => new Promise<never>(() => undefined), 10);
  await t.rejects(never, { message: "it answers: not within 0.01 s: the last look did not end" });
});
