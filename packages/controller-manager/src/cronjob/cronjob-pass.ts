// One pass over one CronJob: looks after its Jobs, and makes the one that is due. Upstream's sync of cronjob_controllerv2.

import { type CronSchedule, parseCronSchedule } from "@picokube/api/batch/cron-schedule";
import { type CronJob, cronjobs, type Job, jobs } from "@picokube/api/batch/v1";
import { isTimeZone } from "@picokube/api/batch/zoned-time";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isAlreadyExists } from "@picokube/api/errors";
import { controllerOf } from "@picokube/api/owner";
import { formatTime } from "@picokube/api/time";
import type { Client } from "@picokube/client/client";
import type { EventRecorder } from "@picokube/client/event-recorder";
import { ifThere } from "@picokube/client/if-there";
import type { Clock } from "@picokube/component-base/clock";
import { isNamespaceTerminating } from "../pod-control.js";
import { reviewJobs, surplusJobs } from "./job-history.js";
import { mostRecentSchedule, nextScheduleDelayMs } from "./missed-schedules.js";
import { jobReference, scheduledJob, scheduledJobName } from "./scheduled-job.js";

type Status = NonNullable<CronJob["status"]>;

export interface CronJobDependencies {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: EventRecorder;
  /** How many seconds after its time each Job was made. */
  readonly creationSkew: { observe(seconds: number): void };
}

/** Carries one CronJob one step further. */
export class CronJobPass {
  readonly #dependencies: CronJobDependencies;
  #cronJob: CronJob;
  readonly #jobs: readonly Job[];
  #status: Status;

  constructor(dependencies: CronJobDependencies, { cronJob, owned }: { cronJob: CronJob; owned: readonly Job[] }) {
    this.#dependencies = dependencies;
    this.#cronJob = cronJob;
    this.#jobs = owned;
    this.#status = { ...cronJob.status };
  }

  /** Returns when to come back, ms; what was found out is written even when a step failed. */
  async step(): Promise<number | undefined> {
    try {
      await this.#review();
      await this.#cleanUp();
      return await this.#schedule();
    } finally {
      await this.#write();
    }
  }

  // One that cannot be deleted was told of, and does not hold up the schedule.
  async #cleanUp(): Promise<void> {
    for (const job of surplusJobs(this.#cronJob, this.#jobs)) await this.#delete(job).catch(() => {});
  }

  async #review(): Promise<void> {
    const { client } = this.#dependencies;
    const { name, namespace } = this.#cronJob.metadata;
    let review = reviewJobs(this.#cronJob, this.#jobs);
    if (review.unknown.length > 0) {
      // The cache of CronJobs may be behind that of Jobs.
      this.#cronJob = await client.get(cronjobs, { name, namespace: namespace! });
      this.#status = { ...this.#cronJob.status };
      review = reviewJobs(this.#cronJob, this.#jobs);
      for (const { metadata } of review.unknown)
        this.#warn("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${metadata.name}`);
    }
    const { ended, missing, lastSuccessfulTime } = review;
    for (const { job, type } of ended) {
      this.#forget(({ uid }) => uid === job.metadata.uid);
      this.#tell("SawCompletedJob", `Saw completed job: ${job.metadata.name}, condition: ${type}`);
    }
    for (const gone of missing) {
      if (await ifThere(client.get(jobs, { name: gone, namespace: namespace! }))) continue;
      this.#forget((each) => each.name === gone);
      this.#tell("MissingJob", `Active job went missing: ${gone}`);
    }
    if (lastSuccessfulTime !== undefined) this.#status = { ...this.#status, lastSuccessfulTime };
  }

  async #schedule(): Promise<number | undefined> {
    const { metadata, spec } = this.#cronJob;
    if (metadata.deletionTimestamp) return undefined;
    if (spec?.timeZone !== undefined && !isTimeZone(spec.timeZone)) {
      const zone = JSON.stringify(spec.timeZone);
      this.#warn("UnknownTimeZone", `invalid timeZone: ${zone}: unknown time zone ${spec.timeZone}`);
      return undefined;
    }
    if (spec?.suspend) return undefined;
    const schedule = this.#parse();
    if (!schedule) return undefined;
    const dueMs = this.#due(schedule);
    if (dueMs === "invalid") return undefined;
    if (dueMs !== undefined && this.#mayStart(dueMs)) await this.#start(dueMs);
    const current = { ...this.#cronJob, status: this.#status };
    return nextScheduleDelayMs(current, schedule, this.#dependencies.clock.now());
  }

  #parse(): CronSchedule | undefined {
    const { schedule = "", timeZone } = this.#cronJob.spec!;
    try {
      return parseCronSchedule(schedule, timeZone);
    } catch (error) {
      const text = JSON.stringify(schedule);
      this.#warn("UnparseableSchedule", `unparseable schedule: ${text} : ${(error as Error).message}`);
      return undefined;
    }
  }

  #due(schedule: CronSchedule): number | "invalid" | undefined {
    const nowMs = this.#dependencies.clock.now();
    try {
      const { dueMs, missed } = mostRecentSchedule(this.#cronJob, schedule, { nowMs, heedDeadline: true });
      if (dueMs !== undefined && missed === "many") {
        const advice = "Set or decrease .spec.startingDeadlineSeconds or check clock skew";
        this.#warn("TooManyMissedTimes", `too many missed start times. ${advice}`);
      }
      return dueMs;
    } catch (error) {
      const message = `invalid schedule: ${this.#cronJob.spec?.schedule} : ${(error as Error).message}`;
      this.#warn("InvalidSchedule", message);
      return "invalid";
    }
  }

  #mayStart(dueMs: number): boolean {
    const { spec, status } = this.#cronJob;
    const { startingDeadlineSeconds, concurrencyPolicy } = spec!;
    const nowMs = this.#dependencies.clock.now();
    if (startingDeadlineSeconds !== undefined && dueMs + startingDeadlineSeconds * 1000 < nowMs) {
      const time = new Date(dueMs).toUTCString().replace("GMT", "+0000");
      this.#warn("MissSchedule", `Missed scheduled time to start a job: ${time}`);
      return false;
    }
    const active = this.#status.active ?? [];
    const name = scheduledJobName(this.#cronJob, dueMs);
    if (active.some((each) => each.name === name)) return false;
    if (status?.lastScheduleTime && Date.parse(status.lastScheduleTime) === dueMs) return false;
    if (concurrencyPolicy === "Forbid" && active.length > 0) {
      const message = "Not starting job because prior execution is running and concurrency policy is Forbid";
      this.#tell("JobAlreadyActive", message);
      return false;
    }
    return true;
  }

  async #start(dueMs: number): Promise<void> {
    if (this.#cronJob.spec?.concurrencyPolicy === "Replace") await this.#replace();
    const job = await this.#create(dueMs);
    if (!job) return;
    const active = [...(this.#status.active ?? []), jobReference(job)];
    this.#status = { ...this.#status, active, lastScheduleTime: formatTime(dueMs) };
  }

  async #replace(): Promise<void> {
    const { client } = this.#dependencies;
    for (const { name, namespace } of this.#status.active ?? []) {
      let job: Job;
      try {
        job = await client.get(jobs, { name: name!, namespace: namespace! });
      } catch (error) {
        this.#warn("FailedGet", `Get job: ${(error as Error).message}`);
        throw error;
      }
      await this.#delete(job);
    }
  }

  // Undefined: it is not ours to remember. The name is the lock that keeps a time from being run twice.
  async #create(dueMs: number): Promise<Job | undefined> {
    const { client, clock, creationSkew } = this.#dependencies;
    const name = scheduledJobName(this.#cronJob, dueMs);
    const namespace = this.#cronJob.metadata.namespace!;
    try {
      const job = await client.create(jobs, scheduledJob(this.#cronJob, dueMs));
      creationSkew.observe((clock.now() - dueMs) / 1000);
      this.#tell("SuccessfulCreate", `Created job ${job.metadata.name}`);
      return job;
    } catch (error) {
      if (isAlreadyExists(error)) {
        const job = await client.get(jobs, { name, namespace });
        const isOurs = controllerOf(job)?.uid === this.#cronJob.metadata.uid;
        return isOurs && !this.#status.active?.some(({ uid }) => uid === job.metadata.uid) ? job : undefined;
      }
      if (!isNamespaceTerminating(error)) this.#warn("FailedCreate", `Error creating job: ${(error as Error).message}`);
      throw error;
    }
  }

  async #delete({ metadata }: Job): Promise<void> {
    const { name, namespace, uid } = metadata;
    const where = { name, namespace: namespace! };
    try {
      await ifThere(this.#dependencies.client.delete(jobs, where, { propagationPolicy: "Background" }));
    } catch (error) {
      this.#warn("FailedDelete", `Deleted job: ${(error as Error).message}`);
      throw error;
    }
    this.#forget((each) => each.uid === uid);
    this.#tell("SuccessfulDelete", `Deleted job ${name}`);
  }

  #forget(isGone: (reference: NonNullable<Status["active"]>[number]) => boolean): void {
    const { active = [], ...rest } = this.#status;
    const left = active.filter((each) => !isGone(each));
    this.#status = left.length > 0 ? { ...rest, active: left } : rest;
  }

  async #write(): Promise<void> {
    if (semanticDeepEqual(this.#status, this.#cronJob.status ?? {})) return;
    const next = { ...this.#cronJob, status: this.#status };
    await this.#dependencies.client.update(cronjobs, next, { subresource: "status" });
  }

  #tell(reason: string, message: string): void {
    this.#dependencies.recorder.record(this.#cronJob, { type: "Normal", reason, message });
  }

  #warn(reason: string, message: string): void {
    this.#dependencies.recorder.record(this.#cronJob, { type: "Warning", reason, message });
  }
}
