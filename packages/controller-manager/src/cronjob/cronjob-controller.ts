// Makes a Job for each time of a CronJob's schedule.
// Watches: CronJobs, Jobs. Writes: Jobs, CronJob status.

import { parseCronSchedule } from "@picokube/api/batch/cron-schedule";
import { type CronJob, cronjobs, type Job, jobs } from "@picokube/api/batch/v1";
import { isTimeZone } from "@picokube/api/batch/zoned-time";
import { controllerOf } from "@picokube/api/owner";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import { mapped } from "@picokube/client/watch-sources";
import type { Clock } from "@picokube/component-base/clock";
import { exponentialBuckets } from "@picokube/component-base/metrics";
import type { Dependencies } from "../dependencies.js";
import { CronJobPass } from "./cronjob-pass.js";
import { nextScheduleDelayMs } from "./missed-schedules.js";

const byCronJob = "cronJob";

/** Upstream's cronjob-controller. */
export function cronJobController({
  client,
  informers,
  clock,
  metrics,
  recorder: recorderOf,
}: Dependencies): Controller {
  const cronJobInformer = informers.for(cronjobs);
  const jobInformer = informers.for(jobs);
  jobInformer.addIndex(byCronJob, (job) => {
    const owner = controllerOf(job);
    return owner?.kind === cronjobs.kind ? [owner.uid] : [];
  });
  const recorder = recorderOf("cronjob-controller");
  const creationSkew = metrics.histogram({
    name: "cronjob_controller_job_creation_skew_duration_seconds",
    help: "Time between when a cronjob is scheduled to be run, and when the corresponding job is created",
    buckets: exponentialBuckets(1, 2, 10),
  });

  async function reconcile(key: ObjectKey): Promise<Result> {
    const cronJob = cronJobInformer.get(key);
    if (!cronJob) return;
    const owned = jobInformer.byIndex(byCronJob, cronJob.metadata.uid);
    const delayMs = await new CronJobPass({ client, clock, recorder, creationSkew }, { cronJob, owned }).step();
    return delayMs === undefined ? undefined : { requeueAfterMs: delayMs };
  }

  function ownerOf(job: Job): ObjectKey[] {
    const owner = controllerOf(job);
    const key = `${job.metadata.namespace}/${owner?.name}`;
    return owner && cronJobInformer.get(key)?.metadata.uid === owner.uid ? [key] : [];
  }

  return {
    name: "cronjob-controller",
    watches: [scheduleChanges(cronJobInformer, clock), mapped(jobInformer, ownerOf)],
    reconcile,
  };
}

// A schedule that changed is looked at when its next time comes: what it would have run before does not count. Upstream's
// updateCronJob.
function scheduleChanges(cronJobInformer: Informer<CronJob>, clock: Clock): WatchSource {
  return {
    informer: cronJobInformer,
    handler: (enqueue) => ({
      add: (cronJob: CronJob) => enqueue(keyOf(cronJob)),
      update({ spec: before }: CronJob, cronJob: CronJob) {
        const { schedule = "", timeZone } = cronJob.spec ?? {};
        if (before?.schedule === schedule && before.timeZone === timeZone) return enqueue(keyOf(cronJob));
        const delayMs = isParseable(schedule, timeZone)
          ? nextScheduleDelayMs(cronJob, parseCronSchedule(schedule, timeZone), clock.now())
          : 0;
        if (delayMs !== undefined) enqueue(keyOf(cronJob), delayMs);
      },
      delete: (cronJob: CronJob) => enqueue(keyOf(cronJob)),
    }),
  };
}

function isParseable(schedule: string, zone: string | undefined): boolean {
  if (zone !== undefined && !isTimeZone(zone)) return false;
  try {
    parseCronSchedule(schedule, zone);
    return true;
  } catch {
    return false;
  }
}
