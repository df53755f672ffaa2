// An engine whose first answer is late, as Docker's is under load.

import { test } from "tap";
import type { TerminalSize } from "./remote-streams.js";
import { terminalResizer } from "./terminal-resizer.js";

test("sizes reach the terminal one at a time, the newest last", async (t) => {
  const calls: { size: TerminalSize; answer: (error?: Error) => void }[] = [];
  const resize = terminalResizer(
    (size) =>
      new Promise((resolve, reject) => {
        calls.push({ size, answer: (error) => (error ? reject(error) : resolve()) });
      }),
  );
  const settled = () => new Promise((done) => setImmediate(done));
  resize({ width: 100, height: 34 });
  resize({ width: 120, height: 40 });
  resize({ width: 99, height: 33 });
  await settled();
  t.strictSame(
    calls.map(({ size }) => size),
    [{ width: 100, height: 34 }],
    "no second request before the first is answered",
  );
  calls[0]!.answer(new Error("not started yet"));
  await settled();
  t.strictSame(
    calls.slice(1).map(({ size }) => size),
    [{ width: 99, height: 33 }],
    "then the newest, also after a failure",
  );
  calls[1]!.answer();
  await settled();
  resize({ width: 80, height: 24 });
  await settled();
  t.strictSame(calls[2]?.size, { width: 80, height: 24 });
});
