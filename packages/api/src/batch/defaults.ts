// Defaults of Jobs and CronJobs (upstream: pkg/apis/batch/v1/defaults.go). Pure, in place, idempotent.

import { setPodTemplateDefaults } from "../core/pod-defaults.js";
import type { PodSpec } from "../core/v1.js";
import type { CronJob, Job, JobSpec } from "./v1.js";

const maxInt32 = 2147483647;

export function setJobDefaults(job: Job): void {
  const { metadata } = job;
  job.spec ??= {} as JobSpec;
  const { spec } = job;
  spec.template ??= {};
  spec.template.spec ??= {} as PodSpec;
  // Both left out: one completion by one pod. A lone parallelism means a work queue, and keeps completions unset.
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : maxInt32;
  const labels = spec.template?.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  spec.completionMode ??= "NonIndexed";
  spec.suspend ??= false;
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? "Failed" : "TerminatingOrFailed";
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) pattern.status ||= "True";
  }
  setPodTemplateDefaults(spec.template);
}

export function setCronJobDefaults(cronJob: CronJob): void {
  cronJob.spec ??= {} as NonNullable<CronJob["spec"]>;
  const { spec } = cronJob;
  spec.concurrencyPolicy ||= "Allow";
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
  spec.jobTemplate ??= {};
  spec.jobTemplate.spec ??= {} as JobSpec;
  spec.jobTemplate.spec.template ??= {};
  spec.jobTemplate.spec.template.spec ??= {} as PodSpec;
  setPodTemplateDefaults(spec.jobTemplate.spec.template);
}
