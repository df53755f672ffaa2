// Which run of a CronJob is due, how many were missed, and when to look again. Pure: upstream's mostRecentScheduleTime.

import type { CronSchedule } from "@picokube/api/batch/cron-schedule";
import type { CronJob } from "@picokube/api/batch/v1";

// A little later than the second: clocks differ.
const paddingMs = 100;
const manyMissed = 100;

export interface Due {
  /** The most recent run that is due; undefined when none is. */
  readonly dueMs: number | undefined;
  /** From when on runs were looked for. */
  readonly earliestMs: number;
  readonly missed: "none" | "few" | "many";
}

/** What is due at nowMs; throws when the schedule has no two times. */
export function mostRecentSchedule(
  { spec, status, metadata }: CronJob,
  schedule: CronSchedule,
  { nowMs, heedDeadline }: { nowMs: number; heedDeadline: boolean },
): Due {
  let earliestMs = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
  const deadline = spec?.startingDeadlineSeconds;
  if (heedDeadline && deadline !== undefined) earliestMs = Math.max(earliestMs, nowMs - deadline * 1000);
  const first = schedule.next(earliestMs);
  const second = first === undefined ? undefined : schedule.next(first);
  if (first !== undefined && nowMs < first) return { dueMs: undefined, earliestMs, missed: "none" };
  if (first !== undefined && second !== undefined && nowMs < second)
    return { dueMs: first, earliestMs, missed: "none" };
  if (first === undefined || second === undefined)
    throw new Error("time difference between two schedules is less than 1 second");
  // About how many: the time since the first, in steps of the first two.
  const stepMs = second - first;
  const count = Math.floor((nowMs - first) / stepMs) + 1;
  const missed = count > manyMissed ? "many" : "few";
  // From a step before the estimate on. Where steps differ much, the last one may lie further back.
  const dueMs =
    lastBetween(schedule, first + (count - 2) * stepMs, nowMs) ?? lastBefore(schedule, { first, stepMs, nowMs });
  return { dueMs, earliestMs, missed };
}

function lastBetween(schedule: CronSchedule, afterMs: number, nowMs: number): number | undefined {
  let last: number | undefined;
  for (let at = schedule.next(afterMs); at !== undefined && at <= nowMs; at = schedule.next(at)) last = at;
  return last;
}

function lastBefore(
  schedule: CronSchedule,
  { first, stepMs, nowMs }: { first: number; stepMs: number; nowMs: number },
): number {
  for (let backMs = stepMs; nowMs - backMs > first; backMs *= 2) {
    const last = lastBetween(schedule, nowMs - backMs, nowMs);
    if (last !== undefined) return last;
  }
  return lastBetween(schedule, first, nowMs) ?? first;
}

/** How long until the next run, in ms; undefined when there is none. Upstream's nextScheduleTimeDuration. */
export function nextScheduleDelayMs(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number | undefined {
  const nextMs = schedule.next(lastKnownMs(cronJob, schedule, nowMs));
  return nextMs === undefined ? undefined : Math.max(0, nextMs + paddingMs - nowMs);
}

function lastKnownMs(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number {
  try {
    const { dueMs, earliestMs, missed } = mostRecentSchedule(cronJob, schedule, { nowMs, heedDeadline: false });
    return dueMs ?? (missed === "none" ? earliestMs : nowMs);
  } catch {
    return nowMs;
  }
}
