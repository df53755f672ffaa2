// The Job that a CronJob makes for one of its times, and what the CronJob remembers of it. Pure.

import { type CronJob, cronjobs, type Job, jobs } from "@picokube/api/batch/v1";
import { timeZone } from "@picokube/api/batch/zoned-time";
import type { ObjectReference } from "@picokube/api/core/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import { controllerRef } from "@picokube/api/owner";
import { apiVersionOf } from "@picokube/api/resource";

const scheduledAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/** The name by which no time gets two Jobs: minutes since the epoch. */
export function scheduledJobName({ metadata }: CronJob, scheduledMs: number): string {
  return `${metadata.name}-${Math.floor(scheduledMs / 60_000)}`;
}

/** Upstream's getJobFromTemplate2. */
export function scheduledJob(cronJob: CronJob, scheduledMs: number): NewObject<Job> {
  const { metadata, spec } = cronJob.spec!.jobTemplate;
  const told = { [scheduledAnnotation]: zonedTime(scheduledMs, cronJob.spec!.timeZone) };
  return {
    metadata: {
      name: scheduledJobName(cronJob, scheduledMs),
      namespace: cronJob.metadata.namespace!,
      ...(metadata?.labels ? { labels: metadata.labels } : {}),
      annotations: { ...metadata?.annotations, ...told },
      ownerReferences: [controllerRef(cronJob, cronjobs)],
    },
    spec: spec!,
  };
}

/** As status.active names a Job. */
export function jobReference({ metadata }: Job): ObjectReference {
  const { name, namespace, uid, resourceVersion } = metadata;
  return {
    apiVersion: apiVersionOf(jobs),
    kind: jobs.kind,
    name,
    namespace: namespace!,
    uid,
    resourceVersion: resourceVersion!,
  };
}

// RFC 3339 by the wall clock of the zone, which is UTC unless one is named.
function zonedTime(epochMs: number, zoneName = "UTC"): string {
  const offsetMs = timeZone(zoneName).offsetMs(epochMs);
  const wall = new Date(epochMs + offsetMs).toISOString().slice(0, 19);
  if (offsetMs === 0) return `${wall}Z`;
  const minutes = Math.abs(offsetMs) / 60_000;
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  return `${wall}${offsetMs < 0 ? "-" : "+"}${two(minutes / 60)}:${two(minutes % 60)}`;
}
