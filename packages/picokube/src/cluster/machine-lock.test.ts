// The lock between processes: one holds it, others wait, and it goes with a holder that is killed.

import { spawn } from "node:child_process";
import { test } from "tap";
import { lockMachine } from "./machine-lock.js";

test("one holds it, the other waits; a killed holder gives it back", async (t) => {
  const release = await lockMachine();
  const order: string[] = [];
  const waiting = lockMachine().then((unlock) => {
    order.push("second");
    return unlock;
  });
  const module = new URL("./machine-lock.js", import.meta.url).href;
  const script = `const { lockMachine } = await import(${JSON.stringify(module)}); await lockMachine(); console.log("locked"); setInterval(() => {}, 1000);`;
  order.push("first");
  release();
  const unlock = await waiting;
  t.strictSame(order, ["first", "second"]);
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  const locked = new Promise<void>((done) =>
    child.stdout.on("data", (chunk: Buffer) => {
      if (/^locked$/m.test(chunk.toString())) done();
    }),
  );
  unlock();
  await locked;
  const third = lockMachine().then((free) => {
    order.push("third");
    return free;
  });
  order.push("killed");
  child.kill("SIGKILL");
  (await third)();
  t.strictSame(order, ["first", "second", "killed", "third"]);
});
