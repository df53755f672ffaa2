// Which pods a Job creates or deletes next. Pure: upstream's manageJob.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { rankForDeletion } from "../replicaset/replicaset-plan.js";
import { firstMissing, type Intervals, union, withIndexes } from "./index-intervals.js";
import { allFailures, type JobObservation } from "./job-observation.js";
import { completionIndex, hasLimitPerIndex, isIndexed, isPodTerminating, replacesOnlyEnded } from "./job-pods.js";
import { finishedMs, remainingMs } from "./pod-backoff.js";

const mostAtOnce = 500;

export interface PodPlan {
  readonly delete: readonly Pod[];
  /** One entry a pod to create: its index, undefined of a Job without indexes. */
  readonly create: readonly (number | undefined)[];
  /** Creations wait for the back-off of failed pods, ms. */
  readonly waitMs?: number;
}

/** Either deletes or creates: a pass never does both. */
export function planPods(seen: JobObservation, nowMs: number): PodPlan {
  const { job, active } = seen;
  if (job.spec?.suspend) return { delete: active, create: [] };
  const wanted = wantedActive(seen);
  const doomed = surplus({ job, active, atLeast: Math.max(0, active.length - wanted), nowMs });
  if (doomed.length > 0) return { delete: doomed.slice(0, mostAtOnce), create: [] };
  const occupied = replacesOnlyEnded(job) ? seen.terminating : 0;
  const missing = Math.min(wanted - occupied - active.length, mostAtOnce);
  if (missing <= 0) return { delete: [], create: [] };
  return hasLimitPerIndex(job) ? createByIndex(seen, missing, nowMs) : create(seen, missing, nowMs);
}

function wantedActive({ job, active, succeeded }: JobObservation): number {
  const { completions, parallelism = 1 } = job.spec!;
  // A work queue: the first success means that no more workers are needed.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

function create(seen: JobObservation, count: number, nowMs: number): PodPlan {
  const waitMs = remainingMs(seen.failures, nowMs);
  if (waitMs > 0) return { delete: [], create: [], waitMs };
  const indexes = isIndexed(seen.job) ? pendingIndexes(seen, count) : Array.from({ length: count }, () => undefined);
  return { delete: [], create: indexes };
}

function createByIndex(seen: JobObservation, count: number, nowMs: number): PodPlan {
  const waits = pendingIndexes(seen, count).map((index) => {
    const last = seen.awaitingReplacement.get(index);
    const record = last ? { failures: allFailures(last) + 1, lastFailureMs: finishedMs(last) } : undefined;
    return { index, waitMs: record ? remainingMs(record, nowMs) : 0 };
  });
  const due = waits.filter(({ waitMs }) => waitMs === 0);
  if (due.length === 0 && waits.length > 0)
    return { delete: [], create: [], waitMs: Math.min(...waits.map(({ waitMs }) => waitMs)) };
  return { delete: [], create: due.map(({ index }) => index) };
}

// Upstream's firstPendingIndexes.
function pendingIndexes(seen: JobObservation, count: number): number[] {
  const { job, pods, active, succeededIndexes, failedIndexes = [] } = seen;
  const busy = replacesOnlyEnded(job) ? [...active, ...pods.filter(isPodTerminating)] : active;
  const indexes = new Set(busy.flatMap((pod) => completionIndex(pod) ?? []));
  const taken: Intervals = union(withIndexes(succeededIndexes, indexes), failedIndexes);
  return firstMissing(taken, { count, completions: job.spec?.completions ?? 0 });
}

// Of an Indexed Job all but one pod of each index go, and those without one or with one too high. Upstream's
// activePodsForRemoval.
function surplus({
  job,
  active,
  atLeast,
  nowMs,
}: {
  job: Job;
  active: readonly Pod[];
  atLeast: number;
  nowMs: number;
}): Pod[] {
  const ranked = rankForDeletion({ pods: active, related: [], nowMs });
  if (!isIndexed(job)) return ranked.slice(0, atLeast);
  const completions = job.spec?.completions ?? 0;
  const doomed: Pod[] = [];
  const kept = new Set<number>();
  const left: Pod[] = [];
  // From the one that would be missed most: it keeps the index.
  for (const pod of ranked.toReversed()) {
    const index = completionIndex(pod);
    if (index === undefined || index >= completions || kept.has(index)) doomed.push(pod);
    else {
      kept.add(index);
      left.unshift(pod);
    }
  }
  return [...doomed, ...left.slice(0, Math.max(0, atLeast - doomed.length))];
}
