// The conditions of a Job, with upstream's reasons and words. Pure.

import type { Job } from "@picokube/api/batch/v1";
import { formatTime } from "@picokube/api/time";
import { findCondition } from "../conditions.js";

export type JobCondition = NonNullable<NonNullable<Job["status"]>["conditions"]>[number];

/** SuccessCriteriaMet and FailureTarget announce the end; Complete and Failed say that no pod is left. */
export type EndType = "SuccessCriteriaMet" | "FailureTarget" | "Complete" | "Failed";

/** How a Job ends, or is about to. */
export interface Verdict {
  readonly type: EndType;
  readonly reason: string;
  readonly message: string;
}

const failing = (reason: string, message: string): Verdict => ({ type: "FailureTarget", reason, message });

export const completionsReached: Verdict = {
  type: "SuccessCriteriaMet",
  reason: "CompletionsReached",
  message: "Reached expected number of succeeded pods",
};
export const backoffLimitExceeded = failing("BackoffLimitExceeded", "Job has reached the specified backoff limit");
export const deadlineExceeded = failing("DeadlineExceeded", "Job was active longer than specified deadline");
export const maxFailedIndexesExceeded = failing(
  "MaxFailedIndexesExceeded",
  "Job has exceeded the specified maximal number of failed indexes",
);
export const failedIndexes = failing("FailedIndexes", "Job has failed indexes");

/** A failed pod matched a FailJob rule. */
export function failedByPolicy(message: string): Verdict {
  return failing("PodFailurePolicy", message);
}

/** A rule of the successPolicy is met. */
export function succeededByPolicy(message: string): Verdict {
  return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message };
}

/** The end that was announced in an earlier pass. */
export function announcedVerdict({ status }: Job): Verdict | undefined {
  for (const type of ["SuccessCriteriaMet", "FailureTarget"] as const) {
    const condition = findCondition(status?.conditions, type);
    if (condition?.status === "True") return { type, reason: condition.reason ?? "", message: condition.message ?? "" };
  }
  return undefined;
}

/** What follows when the last pod is gone. */
export function finalVerdict(verdict: Verdict): Verdict {
  return { ...verdict, type: verdict.type === "FailureTarget" || verdict.type === "Failed" ? "Failed" : "Complete" };
}

/** Whether the Job fails: then pods that have not ended count as failed. */
export function isFailure({ type }: Verdict): boolean {
  return type === "FailureTarget" || type === "Failed";
}

/** The list with this condition, and whether that changed it. From nothing to False is no change. Upstream's ensureJobConditionStatus. */
export function ensureCondition(
  conditions: readonly JobCondition[] | undefined,
  {
    type,
    status,
    reason,
    message,
    nowMs,
  }: {
    type: string;
    status: "True" | "False";
    reason: string;
    message: string;
    nowMs: number;
  },
): { conditions: JobCondition[]; changed: boolean } {
  const list = [...(conditions ?? [])];
  const index = list.findIndex((each) => each.type === type);
  const current = list[index];
  const same = current?.status === status && current.reason === reason && current.message === message;
  if (same || (!current && status === "False")) return { conditions: list, changed: false };
  const now = formatTime(nowMs);
  const next: JobCondition = { type, status, lastProbeTime: now, lastTransitionTime: now, reason, message };
  if (current) list[index] = next;
  else list.push(next);
  return { conditions: list, changed: true };
}
