// How long a Job waits before it replaces failed pods: 10 s, doubling with each failure since the last success, 10 minutes
// at most. Pure: upstream's backoff_utils.

import type { Pod } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";

const firstMs = 10_000;
const longestMs = 600_000;

export interface FailureRecord {
  /** Failures after the last success. */
  readonly failures: number;
  readonly lastFailureMs: number;
}

export const noFailures: FailureRecord = { failures: 0, lastFailureMs: 0 };

/** The record after more pods have ended. Upstream's newBackoffRecord. */
export function recordEnds(
  before: FailureRecord,
  { succeeded, failed }: { succeeded: readonly Pod[]; failed: readonly Pod[] },
): FailureRecord {
  const failedMs = failed.map(finishedMs);
  if (succeeded.length === 0) {
    if (failed.length === 0) return before;
    return { failures: before.failures + failed.length, lastFailureMs: Math.max(...failedMs) };
  }
  const lastSuccessMs = Math.max(...succeeded.map(finishedMs));
  const since = failedMs.filter((atMs) => atMs > lastSuccessMs);
  return since.length === 0 ? noFailures : { failures: since.length, lastFailureMs: Math.max(...since) };
}

/** What is left of the wait, in ms. */
export function remainingMs({ failures, lastFailureMs }: FailureRecord, nowMs: number): number {
  if (failures === 0) return 0;
  const waitMs = Math.min(longestMs, firstMs * 2 ** (failures - 1));
  return Math.max(0, waitMs - (nowMs - lastFailureMs));
}

/** When the pod ended, as well as can be known. Upstream's getFinishedTime. */
export function finishedMs({ status, metadata }: Pod): number {
  const statuses = status?.containerStatuses ?? [];
  const ends = statuses.map(({ state }) => Date.parse(state?.terminated?.finishedAt ?? ""));
  if (ends.length > 0 && ends.every((atMs) => atMs > 0)) return Math.max(...ends);
  const ready = podCondition(status, "Ready");
  const notReadyMs = ready?.status === "False" ? Date.parse(ready.lastTransitionTime ?? "") : Number.NaN;
  if (notReadyMs > 0) return notReadyMs;
  if (metadata.deletionTimestamp)
    return Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;
  return Date.parse(metadata.creationTimestamp);
}
