// What the Job controller tells of its work, under upstream's metric names (pkg/controller/job/metrics).

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { isPodTerminal } from "@picokube/api/pod";
import { exponentialBuckets, type Metrics } from "@picokube/component-base/metrics";
import { countIndexes, parseIntervals } from "./index-intervals.js";
import type { Verdict } from "./job-conditions.js";
import type { JobObservation } from "./job-observation.js";
import { hasLimitPerIndex, hasTrackingFinalizer, isIndexed } from "./job-pods.js";

/** What a pass did about pods; reconciling: nothing, for what it did before has not been seen yet, or the Job ends. */
export type SyncAction = "reconciling" | "tracking" | "pods_created" | "pods_deleted";

export interface JobMetrics {
  synced(job: Job, sync: { action: SyncAction; succeeded: boolean; seconds: number }): void;
  /** The status was written: what it counts more than the one before. Upstream's recordJobPodFinished. */
  counted(job: Job, before: Job["status"]): void;
  finished(job: Job, verdict: Verdict): void;
  created(seen: JobObservation, pods: { succeeded: number; failed: number }): void;
  /** Rules of podFailurePolicy that pods matched. */
  judged(actions: readonly string[]): void;
  managedElsewhere(job: Job): void;
  /** Either is undefined when the pod comes or goes. Upstream's recordFinishedPodWithTrackingFinalizer. */
  podChanged(before: Pod | undefined, after: Pod | undefined): void;
}

export function createJobMetrics(metrics: Metrics): JobMetrics {
  /** Counts nothing when there is nothing more. */
  const counter = <Label extends string>(name: string, help: string, labels: readonly Label[]) => {
    const made = metrics.counter<Label>({ name: `job_controller_${name}`, help, labels });
    return (values: Record<Label, string>, by = 1) => {
      if (by > 0) made.inc(values, by);
    };
  };
  const syncLabels = ["completion_mode", "result", "action"] as const;
  const durations = metrics.histogram({
    name: "job_controller_job_sync_duration_seconds",
    help: "The time it took to sync a job",
    labels: syncLabels,
    buckets: exponentialBuckets(0.004, 2, 15),
  });
  const syncs = counter("job_syncs_total", "The number of job syncs", syncLabels);
  const finishedJobs = counter("jobs_finished_total", "The number of finished jobs", [
    "completion_mode",
    "result",
    "reason",
  ]);
  const external = counter(
    "jobs_by_external_controller_total",
    "The number of Jobs managed by an external controller",
    ["controller_name"],
  );
  const finishedPods = counter("job_pods_finished_total", "The number of finished Pods that are fully tracked", [
    "completion_mode",
    "result",
  ]);
  const policyActions = counter(
    "pod_failures_handled_by_failure_policy_total",
    'The number of failed Pods handled by failure policy with respect to the failure policy action applied based on the matched rule. Possible values of the action label correspond to the possible values for the failure policy rule action, which are: "FailJob", "Ignore" and "Count".',
    ["action"],
  );
  const finalizers = counter(
    "terminated_pods_tracking_finalizer_total",
    'The number of terminated pods (phase=Failed|Succeeded) that have the finalizer batch.kubernetes.io/job-tracking. The event label can be "add" or "delete".',
    ["event"],
  );
  const indexes = counter(
    "job_finished_indexes_total",
    'The number of finished indexes. Possible values for the status label are: "succeeded", "failed". Possible values for the backoffLimit label are: "perIndex" and "global"',
    ["status", "backoffLimit"],
  );
  const creations = counter(
    "job_pods_creation_total",
    'The number of Pods created by the Job controller labelled with a reason for the Pod creation. This metric also distinguishes between Pods created using different PodReplacementPolicy settings. Possible values of the "reason" label are: "new", "recreate_terminating_or_failed", "recreate_failed". Possible values of the "status" label are: "succeeded", "failed".',
    ["reason", "status"],
  );

  return {
    synced(job, { action, succeeded, seconds }) {
      const labels = { completion_mode: modeOf(job), result: succeeded ? "success" : "error", action };
      durations.observe(labels, seconds);
      syncs(labels);
    },
    counted(job, before = {}) {
      const { status = {}, spec } = job;
      const mode = { completion_mode: modeOf(job) };
      let succeeded = (status.succeeded ?? 0) - (before.succeeded ?? 0);
      if (isIndexed(job)) {
        const more = (after: string | undefined, old: string | undefined) =>
          countIndexes(parseIntervals(after, spec?.completions ?? 0)) -
          countIndexes(parseIntervals(old, spec?.completions ?? 0));
        const backoffLimit = hasLimitPerIndex(job) ? "perIndex" : "global";
        // An index that is no longer one of the Job's is not counted back.
        succeeded = more(status.completedIndexes, before.completedIndexes);
        indexes({ status: "succeeded", backoffLimit }, succeeded);
        if (hasLimitPerIndex(job))
          indexes({ status: "failed", backoffLimit }, more(status.failedIndexes, before.failedIndexes));
      }
      finishedPods({ ...mode, result: "succeeded" }, succeeded);
      finishedPods({ ...mode, result: "failed" }, (status.failed ?? 0) - (before.failed ?? 0));
    },
    finished(job, { type, reason }) {
      const result = type === "Failed" ? "failed" : "succeeded";
      finishedJobs({ completion_mode: modeOf(job), result, reason });
    },
    created({ job, failed: failures, terminating }, { succeeded, failed }) {
      const reason =
        job.spec?.podReplacementPolicy === "Failed" && failures > 0
          ? "recreate_failed"
          : failures > 0 || terminating > 0
            ? "recreate_terminating_or_failed"
            : "new";
      creations({ reason, status: "succeeded" }, succeeded);
      creations({ reason, status: "failed" }, failed);
    },
    judged(actions) {
      for (const action of actions) policyActions({ action });
    },
    managedElsewhere: ({ spec }) => external({ controller_name: spec?.managedBy ?? "" }),
    podChanged(before, after) {
      const [was, is] = [isHeldAtEnd(before), isHeldAtEnd(after)];
      if (was !== is) finalizers({ event: is ? "add" : "delete" });
    },
  };
}

const modeOf = (job: Job) => (isIndexed(job) ? "Indexed" : "NonIndexed");

const isHeldAtEnd = (pod: Pod | undefined) => pod !== undefined && isPodTerminal(pod) && hasTrackingFinalizer(pod);
