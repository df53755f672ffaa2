// Which run is due, by table.

import { parseCronSchedule } from "@picokube/api/batch/cron-schedule";
import { type CronJob, cronjobs } from "@picokube/api/batch/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { mostRecentSchedule, nextScheduleDelayMs } from "./missed-schedules.js";
import { scheduledJob } from "./scheduled-job.js";

const at = (text: string) => Date.parse(`2026-01-05T${text}Z`);

function cronJob(
  schedule: string,
  { created = "09:55:30", last = "", deadline = undefined as number | undefined } = {},
): CronJob {
  const startingDeadlineSeconds = deadline === undefined ? {} : { startingDeadlineSeconds: deadline };
  const jobTemplate = { metadata: { labels: { app: "x" } }, spec: { template: { spec: { containers: [] } } } };
  return object(cronjobs, "tick", {
    metadata: { creationTimestamp: `2026-01-05T${created}Z` },
    spec: { schedule, jobTemplate, ...startingDeadlineSeconds },
    ...(last ? { status: { lastScheduleTime: `2026-01-05T${last}Z` } } : {}),
  });
}

function due(schedule: string, now: string, options: Parameters<typeof cronJob>[1] = {}) {
  const parsed = parseCronSchedule(schedule, "UTC");
  const { dueMs, missed } = mostRecentSchedule(cronJob(schedule, options), parsed, {
    nowMs: at(now),
    heedDeadline: true,
  });
  return [dueMs === undefined ? "" : new Date(dueMs).toISOString().slice(11, 19), missed];
}

test("the most recent run that is due, and how many were missed", async (t) => {
  t.strictSame(due("0 * * * *", "09:59:59"), ["", "none"]);
  t.strictSame(due("0 * * * *", "10:00:00"), ["10:00:00", "none"]);
  t.strictSame(due("0 * * * *", "10:59:00", { last: "10:00:00" }), ["", "none"]);
  t.strictSame(due("0 * * * *", "14:10:00", { last: "10:00:00" }), ["14:00:00", "few"]);
  t.strictSame(due("* * * * *", "12:10:00", { last: "10:00:00" }), ["12:10:00", "many"]);
  t.strictSame(due("* * * * *", "12:10:00", { last: "10:00:00", deadline: 200 }), ["12:10:00", "few"]);
  t.strictSame(due("0 * * * *", "14:10:00", { last: "10:00:00", deadline: 60 }), ["", "none"]);
  t.strictSame(due("30 6-16/4 * * *", "23:00:00", { last: "06:30:00" }), ["14:30:00", "few"], "steps that differ");
  t.strictSame(due("@every 7m", "10:30:00"), ["10:23:30", "few"]);
  t.throws(() => due("0 0 31 2 *", "10:00:00"), {
    message: "time difference between two schedules is less than 1 second",
  });
});

test("when to look again", async (t) => {
  const delay = (schedule: string, now: string, last = "") =>
    nextScheduleDelayMs(cronJob(schedule, { last }), parseCronSchedule(schedule, "UTC"), at(now));
  t.equal(delay("0 * * * *", "09:59:00"), 60_100);
  t.equal(delay("0 * * * *", "10:00:00", "10:00:00"), 3_600_100);
  t.equal(delay("0 * * * *", "14:10:00", "10:00:00"), 50 * 60_000 + 100);
  t.equal(delay("0 0 31 2 *", "10:00:00"), undefined);
});

test("the Job of a time", async (t) => {
  const zoned = cronJob("0 * * * *");
  const job = scheduledJob({ ...zoned, spec: { ...zoned.spec!, timeZone: "Asia/Kolkata" } }, at("10:00:00"));
  t.match(job.metadata, {
    name: `tick-${at("10:00:00") / 60_000}`,
    labels: { app: "x" },
    annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-05T15:30:00+05:30" },
    ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }],
  });
  t.match(scheduledJob(zoned, at("10:00:00")).metadata?.annotations, {
    "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-05T10:00:00Z",
  });
});
