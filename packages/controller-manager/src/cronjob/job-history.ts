// Which of a CronJob's Jobs are still active, when one last succeeded, and which are too old to keep. Pure.

import type { CronJob, Job } from "@picokube/api/batch/v1";
import { finishedType } from "../job/job-pods.js";

/** What became of the Jobs. */
export interface Review {
  /** Those of status.active that have ended. */
  readonly ended: readonly { readonly job: Job; readonly type: "Complete" | "Failed" }[];
  /** Unfinished, ours, and not in status.active. */
  readonly unknown: readonly Job[];
  /** Names in status.active of Jobs that are not there. */
  readonly missing: readonly string[];
  readonly lastSuccessfulTime: string | undefined;
}

export function reviewJobs({ status }: CronJob, owned: readonly Job[]): Review {
  const active = new Map((status?.active ?? []).map((each) => [each.uid, each.name ?? ""]));
  const ended: { job: Job; type: "Complete" | "Failed" }[] = [];
  const unknown: Job[] = [];
  let lastSuccessfulTime = status?.lastSuccessfulTime;
  for (const job of owned) {
    const type = finishedType(job);
    const isActive = active.delete(job.metadata.uid);
    if (type && isActive) ended.push({ job, type });
    if (!type && !isActive) unknown.push(job);
    const completionTime = type === "Complete" ? job.status?.completionTime : undefined;
    if (completionTime && Date.parse(completionTime) > (Date.parse(lastSuccessfulTime ?? "") || 0))
      lastSuccessfulTime = completionTime;
  }
  return { ended, unknown, missing: [...active.values()], lastSuccessfulTime };
}

/** The finished Jobs that the history has no room for, oldest first. Upstream's cleanupFinishedJobs. */
export function surplusJobs({ spec }: CronJob, owned: readonly Job[]): Job[] {
  const surplus = (type: "Complete" | "Failed", limit: number | undefined) => {
    const finished = owned.filter((job) => finishedType(job) === type).sort(byStart);
    return limit === undefined ? [] : finished.slice(0, Math.max(0, finished.length - limit));
  };
  return [...surplus("Complete", spec?.successfulJobsHistoryLimit), ...surplus("Failed", spec?.failedJobsHistoryLimit)];
}

function byStart(a: Job, b: Job): number {
  const [left, right] = [a.status?.startTime ?? "~", b.status?.startTime ?? "~"];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
