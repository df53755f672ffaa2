// How a Job counts the pods that ended, each exactly once whatever crashes when: their uids are written to the status
// first, then their finalizers are taken off, and only then do they move into the counters. Pure: upstream's
// trackJobStatusAndRemoveFinalizers.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { countIndexes, formatIntervals, hasIndex } from "./index-intervals.js";
import { isFailure, type Verdict } from "./job-conditions.js";
import type { JobObservation } from "./job-observation.js";
import { hasLimitPerIndex, hasTrackingFinalizer, isIndexed, isPodFailed, validIndex } from "./job-pods.js";
import { judgeFailure } from "./pod-failure-policy.js";

type Status = NonNullable<Job["status"]>;

// More would make the status large, and one Job hold up the others.
const maxUncounted = 500;

export interface Account {
  /** To be written before any finalizer is taken off. */
  readonly status: Status;
  /** Pods whose finalizers may then be taken off. */
  readonly release: readonly Pod[];
  /** Uids of pods that still have their finalizer. */
  readonly held: ReadonlySet<string>;
  /** What the rules of podFailurePolicy said of pods that are entered now. */
  readonly judged: readonly string[];
  /** There was more than fits into one pass. */
  readonly full: boolean;
}

/** Enters what ended into the status; verdict is undefined as long as the Job goes on or has active pods left. */
export function enterEnded(seen: JobObservation, status: Status, verdict: Verdict | undefined): Account {
  const { job, released } = seen;
  const isHeld = (pod: Pod) => hasTrackingFinalizer(pod) && !released.has(pod.metadata.uid);
  const held = new Set(seen.pods.filter(isHeld).map(({ metadata }) => metadata.uid));
  const settled = settle(status, held);
  const succeeded = [...(settled.uncountedTerminatedPods?.succeeded ?? [])];
  const failed = [...(settled.uncountedTerminatedPods?.failed ?? [])];
  const indexes = new Set<number>();
  const release: Pod[] = [];
  const judged: string[] = [];
  let full = false;
  for (const pod of byIndex(seen)) {
    if (!isHeld(pod) || !isReleasable(seen, pod, verdict)) continue;
    release.push(pod);
    const { uid } = pod.metadata;
    const index = validIndex(pod, job);
    if (pod.status?.phase === "Succeeded" && !failed.includes(uid)) {
      if (isIndexed(job)) {
        if (index !== undefined && !hasIndex(seen.countedIndexes, index)) indexes.add(index);
      } else if (!succeeded.includes(uid)) succeeded.push(uid);
    } else if (isPodFailed(pod, job) || (verdict && isFailure(verdict))) {
      const known = !isIndexed(job) || index !== undefined;
      if (known && !failed.includes(uid)) {
        const { counts, action } = judgeFailure(job.spec?.podFailurePolicy, pod);
        if (action) judged.push(action);
        if (counts) failed.push(uid);
      }
    }
    if (indexes.size + succeeded.length + failed.length >= maxUncounted) {
      full = true;
      break;
    }
  }
  const uncountedTerminatedPods = {
    ...(succeeded.length > 0 ? { succeeded } : {}),
    ...(failed.length > 0 ? { failed } : {}),
  };
  return { status: { ...settled, ...indexStatus(seen), uncountedTerminatedPods }, release, held, judged, full };
}

/** Moves uids whose pods have lost their finalizer into the counters. Upstream's cleanUncountedPodsWithoutFinalizers. */
export function settle(status: Status, held: ReadonlySet<string>): Status {
  const uncounted = status.uncountedTerminatedPods ?? {};
  const counted = (uids: readonly string[] = []) => uids.filter((uid) => !held.has(uid)).length;
  const waiting = (uids: readonly string[] = []) => uids.filter((uid) => held.has(uid));
  const [succeeded, failed] = [waiting(uncounted.succeeded), waiting(uncounted.failed)];
  return {
    ...status,
    succeeded: (status.succeeded ?? 0) + counted(uncounted.succeeded),
    failed: (status.failed ?? 0) + counted(uncounted.failed),
    uncountedTerminatedPods: {
      ...(succeeded.length > 0 ? { succeeded } : {}),
      ...(failed.length > 0 ? { failed } : {}),
    },
  };
}

/** Whether every pod that ended is in the counters. */
export function isSettled({ uncountedTerminatedPods }: Status): boolean {
  return !uncountedTerminatedPods?.succeeded?.length && !uncountedTerminatedPods?.failed?.length;
}

/** The status as it is written: numbers of nothing are left out, as upstream's omitempty does, but for ready and terminating. */
export function tidy(status: Status): Status {
  const left = (["active", "succeeded", "failed", "completedIndexes"] as const).filter((field) => !status[field]);
  return Object.fromEntries(Object.entries(status).filter(([field]) => !left.some((each) => each === field)));
}

// Indexes count by themselves: one that is in the status is never counted again.
function indexStatus({ job, succeededIndexes, failedIndexes }: JobObservation): Partial<Status> {
  if (!isIndexed(job)) return {};
  return {
    succeeded: countIndexes(succeededIndexes),
    completedIndexes: formatIntervals(succeededIndexes),
    ...(failedIndexes ? { failedIndexes: formatIntervals(failedIndexes) } : {}),
  };
}

function byIndex({ job, pods }: JobObservation): readonly Pod[] {
  if (!isIndexed(job)) return pods;
  const order = (pod: Pod) => validIndex(pod, job) ?? -1;
  return [...pods].sort((a, b) => order(a) - order(b));
}

// Upstream's canRemoveFinalizer.
function isReleasable({ job, awaitingReplacement }: JobObservation, pod: Pod, verdict: Verdict | undefined): boolean {
  if (job.metadata.deletionTimestamp || verdict || pod.status?.phase === "Succeeded") return true;
  if (!isPodFailed(pod, job)) return false;
  const index = hasLimitPerIndex(job) ? validIndex(pod, job) : undefined;
  return index === undefined || awaitingReplacement.get(index)?.metadata.uid !== pod.metadata.uid;
}
