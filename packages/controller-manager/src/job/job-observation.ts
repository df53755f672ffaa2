// What a Job and its pods amount to: who is active, what ended since the last count, whether the Job ends. Pure: the first
// half of upstream's syncJob.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { isPodActive, isPodReady } from "@picokube/api/pod";
import { findCondition } from "../conditions.js";
import { countIndexes, hasIndex, type Intervals, parseIntervals, withIndexes } from "./index-intervals.js";
import {
  announcedVerdict,
  backoffLimitExceeded,
  deadlineExceeded,
  failedByPolicy,
  failedIndexes,
  maxFailedIndexesExceeded,
  succeededByPolicy,
  type Verdict,
} from "./job-conditions.js";
import {
  failureCount,
  hasLimitPerIndex,
  hasTrackingFinalizer,
  ignoredFailureCount,
  isIndexed,
  isPodFailed,
  isPodTerminating,
  validIndex,
} from "./job-pods.js";
import { type FailureRecord, finishedMs, recordEnds } from "./pod-backoff.js";
import { judgeFailure } from "./pod-failure-policy.js";
import { matchSuccessPolicy } from "./success-policy.js";

export interface JobObservation {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  /** Counted and not yet counted together; of an Indexed Job the indexes. */
  readonly succeeded: number;
  readonly failed: number;
  readonly failures: FailureRecord;
  /** Of an Indexed Job: those in its status, and all. */
  readonly countedIndexes: Intervals;
  readonly succeededIndexes: Intervals;
  /** Undefined without backoffLimitPerIndex. */
  readonly failedIndexes: Intervals | undefined;
  /** By index, the failed pod that must stay until its replacement has inherited its count of failures. */
  readonly awaitingReplacement: ReadonlyMap<number, Pod>;
  /** Whether the Job should end now, and how. */
  readonly verdict: Verdict | undefined;
  /** Pods whose finalizer was taken off although the cache still shows it. */
  readonly released: ReadonlySet<string>;
}

/** The Job must have a startTime unless it is suspended; pods are all that it owns. */
export function observeJob({
  job,
  pods,
  released,
  failuresBefore,
  nowMs,
}: {
  job: Job;
  pods: readonly Pod[];
  released: ReadonlySet<string>;
  failuresBefore: FailureRecord;
  nowMs: number;
}): JobObservation {
  const active = pods.filter(isPodActive);
  const uncounted = job.status?.uncountedTerminatedPods;
  const indexed = isIndexed(job);
  const isNew = (pod: Pod, counted: readonly string[] = []) =>
    hasTrackingFinalizer(pod) &&
    !released.has(pod.metadata.uid) &&
    !counted.includes(pod.metadata.uid) &&
    (!indexed || validIndex(pod, job) !== undefined);
  const newlySucceeded = pods.filter((pod) => pod.status?.phase === "Succeeded" && isNew(pod, uncounted?.succeeded));
  const newlyFailed = pods.filter((pod) => isPodFailed(pod, job) && isNew(pod, uncounted?.failed));
  const policy = job.spec?.podFailurePolicy;
  const counting = newlyFailed.filter((pod) => judgeFailure(policy, pod).counts).length;
  const failed = (job.status?.failed ?? 0) + counting + (uncounted?.failed?.length ?? 0);
  const countedIndexes = indexed ? parseIntervals(job.status?.completedIndexes, job.spec?.completions ?? 0) : [];
  const succeededIndexes = indexed ? withNewlySucceeded(countedIndexes, job, pods) : [];
  const failedOnes = indexed && hasLimitPerIndex(job) ? withNewlyFailed(job, pods) : undefined;
  const base = {
    job,
    pods,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: indexed
      ? countIndexes(succeededIndexes)
      : (job.status?.succeeded ?? 0) + newlySucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed,
    failures: recordEnds(failuresBefore, { succeeded: newlySucceeded, failed: newlyFailed }),
    countedIndexes,
    succeededIndexes,
    failedIndexes: failedOnes,
    released,
  };
  const awaiting = failedOnes ? lastFailedOfPending(base, failedOnes) : new Map<number, Pod>();
  return { ...base, awaitingReplacement: awaiting, verdict: verdictOf(base, nowMs) };
}

type Counted = Omit<JobObservation, "awaitingReplacement" | "verdict">;

// The cache may still show the finalizer of a pod that was counted long ago: its index is in the status by then.
function withNewlySucceeded(counted: Intervals, job: Job, pods: readonly Pod[]): Intervals {
  const ended = pods.filter((pod) => pod.status?.phase === "Succeeded" && hasTrackingFinalizer(pod));
  return withIndexes(counted, new Set(ended.flatMap((pod) => validIndex(pod, job) ?? [])));
}

function withNewlyFailed(job: Job, pods: readonly Pod[]): Intervals {
  const before = parseIntervals(job.status?.failedIndexes, job.spec?.completions ?? 0);
  const ended = pods.filter((pod) => hasTrackingFinalizer(pod) && failsItsIndex(pod, job));
  return withIndexes(before, new Set(ended.flatMap((pod) => validIndex(pod, job) ?? [])));
}

function failsItsIndex(pod: Pod, job: Job): boolean {
  if (!isPodFailed(pod, job)) return false;
  const { action, counts } = judgeFailure(job.spec?.podFailurePolicy, pod);
  return action === "FailIndex" || (counts && failureCount(pod) >= (job.spec?.backoffLimitPerIndex ?? 0));
}

// Upstream's getPodsWithDelayedDeletionPerIndex.
function lastFailedOfPending(
  { job, pods, active, succeededIndexes, released }: Counted,
  failedOnes: Intervals,
): Map<number, Pod> {
  const running = new Set(active.map((pod) => validIndex(pod, job)));
  const last = new Map<number, Pod>();
  for (const pod of pods) {
    const index = validIndex(pod, job);
    if (index === undefined || !isPodFailed(pod, job)) continue;
    if (!hasTrackingFinalizer(pod) || released.has(pod.metadata.uid)) continue;
    if (running.has(index) || hasIndex(succeededIndexes, index) || hasIndex(failedOnes, index)) continue;
    const known = last.get(index);
    const later = !known || (allFailures(known) <= allFailures(pod) && finishedMs(pod) >= finishedMs(known));
    if (later) last.set(index, pod);
  }
  return last;
}

/** Failures of the pod's index before this pod. */
export function allFailures(pod: Pod): number {
  return failureCount(pod) + ignoredFailureCount(pod);
}

function verdictOf(seen: Counted, nowMs: number): Verdict | undefined {
  const { job, pods, failed } = seen;
  const announced = announcedVerdict(job);
  if (announced) return announced;
  const { podFailurePolicy, backoffLimit = 6 } = job.spec!;
  for (const pod of podFailurePolicy ? pods : []) {
    const message = isPodFailed(pod, job) ? judgeFailure(podFailurePolicy, pod).message : undefined;
    if (message !== undefined) return failedByPolicy(message);
  }
  if (failed > backoffLimit || restartsExceed(job, pods)) return backoffLimitExceeded;
  const leftMs = deadlineLeftMs(job, nowMs);
  if (leftMs !== undefined && leftMs <= 0) return deadlineExceeded;
  return isIndexed(job) ? verdictOfIndexes(seen) : undefined;
}

function verdictOfIndexes({ job, failedIndexes: failedOnes, succeededIndexes }: Counted): Verdict | undefined {
  const { completions = 0, maxFailedIndexes, successPolicy } = job.spec!;
  if (failedOnes) {
    const failures = countIndexes(failedOnes);
    if (maxFailedIndexes !== undefined && failures > maxFailedIndexes) return maxFailedIndexesExceeded;
    if (failures > 0 && failures + countIndexes(succeededIndexes) >= completions) return failedIndexes;
  }
  const message = matchSuccessPolicy(successPolicy, { succeeded: succeededIndexes, completions });
  return message === undefined ? undefined : succeededByPolicy(message);
}

// Containers that the kubelet restarts in place count by their restarts. Upstream's pastBackoffLimitOnFailure.
function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  const { backoffLimit = 6 } = spec;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== "Running" && status?.phase !== "Pending") continue;
    for (const { restartCount } of [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])])
      restarts += restartCount;
  }
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

/** What is left of activeDeadlineSeconds; undefined when no deadline runs. */
export function deadlineLeftMs({ spec, status }: Job, nowMs: number): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || spec.suspend || !status?.startTime) return undefined;
  // On its way back from suspension: the start time is still that of before, and about to be set anew.
  if (findCondition(status.conditions, "Suspended")?.status === "True") return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - nowMs;
}
