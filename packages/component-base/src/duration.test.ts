// Durations, by table.

import { test } from "tap";
import { formatDuration, parseDuration } from "./duration.js";

test("parses as Go does", async (t) => {
  const table: Record<string, number> = {
    "0": 0,
    "10s": 10_000,
    "1h30m": 5_400_000,
    "1.5h": 5_400_000,
    "300ms": 300,
    "-1m": -60_000,
  };
  for (const [text, wantMs] of Object.entries(table)) t.equal(parseDuration(text), wantMs, text);
  t.throws(() => parseDuration("10"), { message: 'time: missing unit in duration "10"' });
  t.throws(() => parseDuration("10x"), { message: 'time: unknown unit "x" in duration "10x"' });
  t.throws(() => parseDuration("abc"), { message: 'time: invalid duration "abc"' });
});

test("prints as Go does", async (t) => {
  const table: [number, string][] = [
    [0, "0s"],
    [90_000, "1m30s"],
    [3_600_000, "1h0m0s"],
    [1500, "1.5s"],
    [250, "250ms"],
  ];
  for (const [durationMs, want] of table) t.equal(formatDuration(durationMs), want);
});
