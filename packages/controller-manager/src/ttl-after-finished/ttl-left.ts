// How long a finished Job may stay. Pure: upstream's timeLeft.

import type { Job } from "@picokube/api/batch/v1";
import { findCondition } from "../conditions.js";
import { finishedType } from "../job/job-pods.js";

/** Whether the Job has ended and may not stay for ever (upstream: needsCleanup). */
export function hasTtl(job: Job): boolean {
  return job.spec?.ttlSecondsAfterFinished !== undefined && finishedType(job) !== undefined;
}

/** Milliseconds left, 0 or less when it is over; undefined when none runs. Throws when nothing says when the Job ended. */
export function ttlLeftMs(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  const type = finishedType(job);
  if (seconds === undefined || !type || job.metadata.deletionTimestamp) return undefined;
  const finishedMs = Date.parse(findCondition(job.status?.conditions, type)?.lastTransitionTime ?? "");
  const { namespace, name } = job.metadata;
  if (Number.isNaN(finishedMs)) throw new Error(`unable to find the time when the Job ${namespace}/${name} finished`);
  return finishedMs + seconds * 1000 - nowMs;
}
