// What a CronJob's schedule and time zone may be, by table.

import { type CronJob, cronjobs } from "@picokube/api/batch/v1";
import { object } from "@picokube/testing/builders";
import { test } from "tap";
import { validateCronJob } from "./cron-job-validation.js";

function objections(spec: Partial<NonNullable<CronJob["spec"]>>): string[] {
  const template = { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } };
  const base = { schedule: "@daily", concurrencyPolicy: "Allow", jobTemplate: { spec: { template } } };
  const cronJob = object(cronjobs, "tick", { spec: { ...base, ...spec } } as Partial<CronJob>);
  return validateCronJob(cronJob)
    .filter(({ field }) => /schedule|timeZone/.test(field ?? ""))
    .map(({ field, message }) => `${field}: ${message}`);
}

test("schedules are read as robfig/cron reads them", async (t) => {
  for (const schedule of ["*/5 * * * *", "0 0 1,15 * MON-FRI", "@hourly", "@every 1h30m", "5/10 ? * jan-mar *"])
    t.strictSame(objections({ schedule }), [], schedule);
  const wrong: { [schedule: string]: string } = {
    "61 * * * *": 'Invalid value: "61 * * * *": end of range (61) above maximum (59): 61',
    "0 0 * * 7": 'Invalid value: "0 0 * * 7": end of range (7) above maximum (6): 7',
    "* * * *": 'Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
    "@sometimes": 'Invalid value: "@sometimes": unrecognized descriptor: @sometimes',
    "TZ=UTC * * * * *":
      'Invalid value: "TZ=UTC * * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
  };
  for (const [schedule, words] of Object.entries(wrong))
    t.strictSame(objections({ schedule }), [`spec.schedule: ${words}`], schedule);
});

test("time zones by name", async (t) => {
  t.strictSame(objections({ timeZone: "Europe/Berlin" }), []);
  for (const timeZone of ["Mars/Base", "local", "+01:00"])
    t.strictSame(
      objections({ timeZone }),
      [`spec.timeZone: Invalid value: "${timeZone}": unknown time zone ${timeZone}`],
      timeZone,
    );
});
