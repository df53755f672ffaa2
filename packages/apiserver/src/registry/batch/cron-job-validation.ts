// What a valid CronJob is, in upstream's words (upstream: ValidateCronJob). Pure.

import { parseCronSchedule } from "@picokube/api/batch/cron-schedule";
import type { CronJob, JobSpec } from "@picokube/api/batch/v1";
import { isTimeZone } from "@picokube/api/batch/zoned-time";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { goLabelSelector } from "@picokube/api/validation/go-syntax";
import { nonnegative, oneOf } from "../check.js";
import { validateJobSpec } from "./job-validation.js";

const maxNameLength = 52;

function validateSchedule(schedule: string, { hasTimeZone }: { hasTimeZone: boolean }): FieldError[] {
  const path = "spec.schedule";
  if (/TZ=/.test(schedule)) {
    const words = hasTimeZone
      ? "cannot use both timeZone field and TZ or CRON_TZ in schedule"
      : "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
    return [invalidValue(path, schedule, words)];
  }
  try {
    parseCronSchedule(schedule, "UTC");
    return [];
  } catch (error) {
    return [invalidValue(path, schedule, (error as Error).message)];
  }
}

function validateSpec({ spec }: CronJob): FieldError[] {
  const faults: FieldError[] = [];
  const schedule = spec?.schedule ?? "";
  if (schedule === "") faults.push(required("spec.schedule"));
  else faults.push(...validateSchedule(schedule, { hasTimeZone: spec?.timeZone !== undefined }));
  faults.push(...nonnegative("spec.startingDeadlineSeconds", spec?.startingDeadlineSeconds));
  const zone = spec?.timeZone;
  if (zone === "") faults.push(invalidValue("spec.timeZone", zone, "timeZone must be nil or non-empty string"));
  else if (zone !== undefined && (zone.toLowerCase() === "local" || !isTimeZone(zone))) {
    faults.push(invalidValue("spec.timeZone", zone, `unknown time zone ${zone}`));
  }
  faults.push(...oneOf("spec.concurrencyPolicy", spec?.concurrencyPolicy, ["Allow", "Forbid", "Replace"]));
  const job = spec?.jobTemplate?.spec ?? ({} as JobSpec);
  if (job.selector) {
    faults.push(
      invalidValue(
        "spec.jobTemplate.spec.selector",
        goLabelSelector(job.selector),
        "`selector` will be auto-generated",
      ),
    );
  }
  if (job.manualSelector) {
    faults.push(notSupported("spec.jobTemplate.spec.manualSelector", job.manualSelector, ["nil", "false"]));
  }
  faults.push(...validateJobSpec(job, "spec.jobTemplate.spec"));
  faults.push(...nonnegative("spec.successfulJobsHistoryLimit", spec?.successfulJobsHistoryLimit));
  faults.push(...nonnegative("spec.failedJobsHistoryLimit", spec?.failedJobsHistoryLimit));
  return faults;
}

/** A CronJob as it is created: its Jobs' names, which are longer, must fit too. */
export function validateCronJob(cronJob: CronJob): FieldError[] {
  const { name = "" } = cronJob.metadata;
  const faults = validateSpec(cronJob);
  if (name.length > maxNameLength) {
    faults.push(invalidValue("metadata.name", name, `must be no more than ${maxNameLength} characters`));
  }
  return faults;
}

/** A change of a CronJob: names and time zones that were let in once stay let in. */
export function validateCronJobUpdate(cronJob: CronJob, old: CronJob): FieldError[] {
  const faults = validateSpec(cronJob);
  const keepsZone = cronJob.spec?.timeZone === old.spec?.timeZone;
  return keepsZone ? faults.filter(({ field }) => field !== "spec.timeZone") : faults;
}
