import { test } from "tap";
import { formatGoDuration, humanDuration, parseGoDuration, shortHumanDuration } from "./duration.js";
import { formatMicroTime, formatTime, parseTime } from "./time.js";

test("times are RFC 3339 in UTC", (t) => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
  t.equal(formatTime(ms), "2026-01-02T03:04:05Z");
  t.equal(formatMicroTime(ms), "2026-01-02T03:04:05.678000Z");
  t.equal(parseTime("2026-01-02T03:04:05Z"), ms - 678);
  t.equal(parseTime("2026-01-02T04:04:05.678000+01:00"), ms);
  for (const bad of ["", "yesterday", "2026-01-02", "2026-13-02T03:04:05Z", undefined])
    t.equal(parseTime(bad), undefined);
  t.end();
});

test("humanDuration is what kubectl shows", (t) => {
  const [s, m, h, d] = [1000, 60_000, 3_600_000, 86_400_000];
  const table: [number, string][] = [
    [-5 * s, "<invalid>"],
    [-s, "0s"],
    [-10, "0s"],
    [0, "0s"],
    [119 * s, "119s"],
    [120 * s, "2m"],
    [2 * m + 30 * s, "2m30s"],
    [10 * m, "10m"],
    [179 * m, "179m"],
    [3 * h, "3h"],
    [3 * h + 5 * m, "3h5m"],
    [8 * h + 5 * m, "8h"],
    [47 * h, "47h"],
    [2 * d, "2d"],
    [3 * d + 12 * h, "3d12h"],
    [8 * d + h, "8d"],
    [700 * d, "700d"],
    [2 * 365 * d, "2y"],
    [2 * 365 * d + 10 * d, "2y10d"],
    [9 * 365 * d + 10 * d, "9y"],
  ];
  for (const [ms, want] of table) t.equal(humanDuration(ms), want);
  t.equal(shortHumanDuration(90 * m), "1h");
  t.end();
});

test("Go durations go there and back", (t) => {
  const table: [string, number, string][] = [
    ["0", 0, "0s"],
    ["10s", 10_000, "10s"],
    ["1m30s", 90_000, "1m30s"],
    ["1.5h", 5_400_000, "1h30m0s"],
    ["300ms", 300, "300ms"],
    ["-2m", -120_000, "-2m0s"],
    ["1500ms", 1500, "1.5s"],
    ["5us", 0.005, "5µs"],
    [".5s", 500, "500ms"],
  ];
  for (const [text, ms, printed] of table) {
    t.equal(parseGoDuration(text), ms, text);
    t.equal(formatGoDuration(ms), printed, text);
  }
  t.throws(() => parseGoDuration("10"), new Error('time: missing unit in duration "10"'));
  t.throws(() => parseGoDuration("1d"), new Error('time: unknown unit "d" in duration "1d"'));
  t.throws(() => parseGoDuration(""), new Error('time: invalid duration ""'));
  t.throws(() => parseGoDuration("s"), new Error('time: invalid duration "s"'));
  t.end();
});
