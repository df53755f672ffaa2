// Schedules by table, daylight saving included.

import { test } from "tap";
import { parseCronSchedule } from "./cron-schedule.js";
import { isTimeZone, timeZone } from "./zoned-time.js";

const iso = (epochMs: number | undefined) =>
  epochMs === undefined ? "" : new Date(epochMs).toISOString().slice(0, 19);

test("the next time", async (t) => {
  const table: [string, string, string][] = [
    ["2012-07-09T14:45:00", "0/15 * * * *", "2012-07-09T15:00:00"],
    ["2012-07-09T14:59:59", "0/15 * * * *", "2012-07-09T15:00:00"],
    ["2012-07-09T15:45:00", "20-35/15 * * * *", "2012-07-09T16:20:00"],
    ["2012-07-09T23:46:00", "*/15 * * * *", "2012-07-10T00:00:00"],
    ["2012-07-09T23:35:51", "20-35/15 1/2 * * *", "2012-07-10T01:20:00"],
    ["2012-07-09T23:35:51", "20-35/15 10-12 * * *", "2012-07-10T10:20:00"],
    ["2012-07-09T23:35:51", "20-35/15 * 9-20 Jul *", "2012-07-10T00:20:00"],
    ["2012-07-09T23:35:00", "0 0 9 Apr-Oct ?", "2012-08-09T00:00:00"],
    ["2012-07-09T23:35:00", "0 0 * Feb Mon", "2013-02-04T00:00:00"],
    ["2012-07-09T23:35:00", "0 0 * Feb Mon/2", "2013-02-01T00:00:00"],
    ["2012-07-09T23:35:00", "0 0 29 Feb ?", "2016-02-29T00:00:00"],
    ["2012-12-31T23:59:45", "* * * * *", "2013-01-01T00:00:00"],
    ["2012-07-09T23:35:00", "0 0 30 Feb ?", ""],
    ["2012-07-09T23:35:00", "0 0 31 Apr ?", ""],
    ["2012-07-13T00:00:00", "0 0 1,15 * Sun", "2012-07-15T00:00:00"],
    ["2012-07-15T00:00:00", "0 0 1,16 * Sun", "2012-07-16T00:00:00"],
    ["2012-07-09T00:00:00", "0 0 1,15 * *", "2012-07-15T00:00:00"],
    ["2012-07-09T10:00:30", "@hourly", "2012-07-09T11:00:00"],
    ["2012-07-09T10:00:00", "@daily", "2012-07-10T00:00:00"],
    ["2012-07-09T10:00:00", "@weekly", "2012-07-15T00:00:00"],
    ["2012-07-09T10:00:00", "@monthly", "2012-08-01T00:00:00"],
    ["2012-07-09T10:00:00", "@yearly", "2013-01-01T00:00:00"],
    ["2012-07-09T10:00:00.700", "@every 1h30m", "2012-07-09T11:30:00"],
    ["2012-07-09T10:00:00", "@every 10ms", "2012-07-09T10:00:01"],
  ];
  for (const [after, text, want] of table)
    t.equal(iso(parseCronSchedule(text, "UTC").next(Date.parse(`${after}Z`))), want, `${text} after ${after}`);
});

test("what a clock leaves out is not run, what it shows twice is run twice", async (t) => {
  const runs = (text: string, zone: string, from: string, count: number) => {
    const schedule = parseCronSchedule(text, zone);
    const times: string[] = [];
    for (let atMs = Date.parse(from); times.length < count; ) {
      atMs = schedule.next(atMs)!;
      times.push(iso(atMs));
    }
    return times;
  };
  const york = "America/New_York";
  t.strictSame(runs("30 2 11 Mar ?", york, "2012-03-11T05:00:00Z", 1), ["2013-03-11T06:30:00"], "skipped for a year");
  t.strictSame(runs("30 2 4 Nov ?", york, "2012-11-04T04:00:00Z", 1), ["2012-11-04T07:30:00"]);
  t.strictSame(runs("30 1 * * *", york, "2012-11-04T04:00:00Z", 3), [
    "2012-11-04T05:30:00",
    "2012-11-04T06:30:00",
    "2012-11-05T06:30:00",
  ]);
  t.strictSame(runs("0 * * * *", york, "2012-03-11T06:30:00Z", 2), ["2012-03-11T07:00:00", "2012-03-11T08:00:00"]);
  // Midnight itself does not exist on the day when summer begins.
  const saoPaulo = "America/Sao_Paulo";
  t.strictSame(runs("0 0 * * *", saoPaulo, "2018-11-03T00:00:00Z", 2), ["2018-11-03T03:00:00", "2018-11-05T02:00:00"]);
  t.strictSame(runs("30 1 * * *", saoPaulo, "2018-11-04T00:00:00Z", 1), ["2018-11-04T03:30:00"]);
  t.strictSame(runs("0 8 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", 1), ["2026-01-01T02:30:00"]);
  t.strictSame(runs("0 9 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 1), ["2026-03-29T07:00:00"]);
});

test("what is wrong with a schedule", async (t) => {
  const table: { [text: string]: string } = {
    "": "empty spec string",
    "@never": "unrecognized descriptor: @never",
    "@every x": 'failed to parse duration @every x: time: invalid duration "x"',
    "* * * *": "expected exactly 5 fields, found 4: [* * * *]",
    "60 * * * *": "end of range (60) above maximum (59): 60",
    "* * 0 * *": "beginning of range (0) below minimum (1): 0",
    "* * * * 7": "end of range (7) above maximum (6): 7",
    "5-3 * * * *": "beginning of range (5) beyond end of range (3): 5-3",
    "1-2-3 * * * *": "too many hyphens: 1-2-3",
    "1/2/3 * * * *": "too many slashes: 1/2/3",
    "*/0 * * * *": "step of range should be a positive number: */0",
    "x * * * *": 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax',
  };
  for (const [text, message] of Object.entries(table))
    t.throws(() => parseCronSchedule(text, "UTC"), { message }, text);
});

test("zones by name", async (t) => {
  for (const [name, want] of [
    ["Europe/Berlin", true],
    ["UTC", true],
    ["Mars/Base", false],
    ["+01:00", false],
  ] as const)
    t.equal(isTimeZone(name), want, name);
  t.equal(timeZone("Asia/Kolkata").offsetMs(0), 5.5 * 3_600_000);
});
