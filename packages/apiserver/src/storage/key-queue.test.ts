import { test } from "tap";
import { KeyQueue } from "./key-queue.js";

test("one at a time for a key, in order, whatever becomes of those before; keys do not wait for each other", async (t) => {
  const queue = new KeyQueue();
  const events: string[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const act =
    (name: string, wait: Promise<unknown> = Promise.resolve()) =>
    async () => {
      events.push(`${name} begins`);
      await wait;
      events.push(`${name} ends`);
      if (name === "a1") throw new Error("a1 failed");
      return name;
    };
  const first = queue.run("a", act("a1", gate));
  const second = queue.run("a", act("a2"));
  t.equal(await queue.run("b", act("b1")), "b1");
  t.same(events, ["a1 begins", "b1 begins", "b1 ends"]);
  release();
  await t.rejects(first, { message: "a1 failed" });
  t.equal(await second, "a2");
  t.same(events.slice(3), ["a1 ends", "a2 begins", "a2 ends"]);
  t.equal(await queue.run("a", act("a3")), "a3", "an empty queue starts anew");
});
