// Log lines in both forms.

import { test } from "tap";
import { createLogger } from "./logger.js";

test("klog's form, verbosity and bound fields", async (t) => {
  const lines: string[] = [];
  const logger = createLogger({
    verbosity: 2,
    name: "x",
    write: (line) => lines.push(line),
    now: () => new Date(2026, 10, 20, 21, 54, 37, 123),
  });
  logger.with({ pod: "a/b" }).info("Pod started", { tries: 2, none: undefined });
  logger.v(3).info("hidden");
  logger.v(2).error("Bad", { err: new Error("outer", { cause: new Error("inner") }) });
  t.equal(lines.length, 2);
  t.match(lines[0], /^I1120 21:54:37\.123000 +\d+ x\] "Pod started" pod="a\/b" tries=2\n$/);
  t.match(lines[1], /^E1120 .* "Bad" err="outer: inner"\n$/);
});

test("json lines", async (t) => {
  const lines: string[] = [];
  createLogger({ format: "json", write: (line) => lines.push(line), now: () => new Date(5) })
    .v(0)
    .warn("w", { err: new Error("e") });
  t.strictSame(JSON.parse(lines[0]!), { ts: 5, severity: "warn", v: 0, logger: "main", msg: "w", err: "e" });
});
