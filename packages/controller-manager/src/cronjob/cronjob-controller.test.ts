// CronJobs against a real apiserver with a clock that steps; the test plays the Job controller.

import { type CronJob, cronjobs, type Job, jobs } from "@picokube/api/batch/v1";
import { events } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { createMetrics } from "@picokube/component-base/metrics";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { cronJobController } from "./cronjob-controller.js";

const namespace = "default";
const minuteMs = 60_000;

test("CronJobs", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock(Math.ceil(Date.now() / minuteMs) * minuteMs);
  const metrics = createMetrics({ withProcess: false });
  runControllers(t, { client, create: [cronJobController], clock, metrics });

  /** Looks, and lets some seconds pass before each further look. */
  const soon = <T>(what: string, look: () => Promise<T | undefined | false>, stepMs = 10_000) =>
    eventually(
      what,
      async () => {
        const found = await look();
        if (found === undefined || found === false) await clock.advance(stepMs);
        return found;
      },
      60_000,
    );
  const read = (name: string) => client.get(cronjobs, { name, namespace });
  const jobsOf = async (name: string): Promise<Job[]> =>
    (await client.list(jobs, { namespace })).items
      .filter(({ metadata }) => metadata.ownerReferences?.[0]?.name === name)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const toldOf = async (name: string) =>
    (await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })).items.map(
      ({ type, reason, message }) => `${type} ${reason} ${message}`,
    );
  const create = (name: string, spec: Partial<NonNullable<CronJob["spec"]>>) => {
    const template = { spec: { restartPolicy: "Never" as const, containers: [{ name: "main", image: "busybox" }] } };
    const jobTemplate = { metadata: { labels: { app: name } }, spec: { template } };
    const body = { metadata: { name, namespace }, spec: { schedule: "* * * * *", jobTemplate, ...spec } };
    return client.create(cronjobs, body);
  };
  const change = (name: string, spec: object) =>
    client.patch(cronjobs, { name, namespace }, { spec }, { type: "merge" });
  const stop = (name: string) => change(name, { suspend: true });
  const finish = (job: Job, type: "Complete" | "Failed") => {
    const now = formatTime(clock.now());
    const first = type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
    const condition = { status: "True", lastProbeTime: now, lastTransitionTime: now };
    const conditions = [
      { ...condition, type: first },
      { ...condition, type },
    ];
    const status = { startTime: now, conditions, ...(type === "Complete" ? { completionTime: now } : {}) };
    const where = { name: job.metadata.name, namespace };
    return client.patch(jobs, where, { status }, { type: "merge", subresource: "status" });
  };

  await t.test("a Job a minute, named after its minute; its end is seen, old ones go", async (t) => {
    await create("tick", { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
    const [first] = await soon("the first Job", async () => {
      const found = await jobsOf("tick");
      return found.length === 1 && found;
    });
    const minute = Number(first!.metadata.name.replace("tick-", ""));
    t.match(first?.metadata, {
      labels: { app: "tick" },
      annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": formatTime(minute * minuteMs) },
    });
    const active = await soon("the Job is active", async () => {
      const { status } = await read("tick");
      return status?.active?.length === 1 && status;
    });
    t.equal(active.lastScheduleTime, formatTime(minute * minuteMs));
    t.match(active.active, [{ kind: "Job", apiVersion: "batch/v1", name: `tick-${minute}`, uid: first!.metadata.uid }]);
    const { status: done } = await finish(first!, "Complete");
    await soon("its end is seen", async () => {
      const { status } = await read("tick");
      const others = (status?.active ?? []).filter(({ uid }) => uid !== first!.metadata.uid);
      return status?.lastSuccessfulTime === done?.completionTime && others.length === (status?.active ?? []).length;
    });
    const second = await soon("the second Job", async () => (await jobsOf("tick"))[1]);
    await finish(second, "Failed");
    await soon("the failed one is deleted", async () =>
      (await toldOf("tick")).includes(`Normal SuccessfulDelete Deleted job ${second.metadata.name}`),
    );
    const third = await soon("the third Job", async () => {
      const last = (await jobsOf("tick")).at(-1)!;
      return Number(last.metadata.name.replace("tick-", "")) > minute + 1 && last;
    });
    await finish(third, "Complete");
    await soon("of those that succeeded the older is deleted", async () =>
      (await jobsOf("tick")).every(({ metadata }) => metadata.name !== first!.metadata.name),
    );
    t.notOk((await toldOf("tick")).some((each) => each.includes("UnexpectedJob")));
    await stop("tick");
    await soon("events", async () => {
      const told = await toldOf("tick");
      return [
        `Normal SuccessfulCreate Created job ${first!.metadata.name}`,
        `Normal SawCompletedJob Saw completed job: ${first!.metadata.name}, condition: Complete`,
        `Normal SawCompletedJob Saw completed job: ${second.metadata.name}, condition: Failed`,
      ].every((each) => told.includes(each));
    });
  });

  await t.test("Forbid waits for the one before, Replace ends it", async (t) => {
    await create("forbid", { concurrencyPolicy: "Forbid" });
    await create("replace", { concurrencyPolicy: "Replace" });
    await soon("the second run is refused", async () =>
      (await toldOf("forbid")).includes(
        "Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid",
      ),
    );
    t.equal((await jobsOf("forbid")).length, 1);
    await soon("the second run replaces the first", async () => {
      const told = await toldOf("replace");
      return (
        told.some((each) => each.includes("SuccessfulDelete")) &&
        told.filter((each) => each.includes("Created job")).length > 1
      );
    });
    await stop("forbid");
    await stop("replace");
    await soon("one is active", async () => (await read("replace")).status?.active?.length === 1);
    await soon("one is left", async () => (await jobsOf("replace")).length === 1);
  });

  await t.test("what was missed is made up for once, unless it is too late", async (t) => {
    await create("late", { suspend: true });
    await create("toolate", { suspend: true, schedule: "0 * * * *", startingDeadlineSeconds: 60 });
    await clock.advance(200 * minuteMs);
    await clock.advance(60 * minuteMs - (clock.now() % (60 * minuteMs)) + 10 * minuteMs);
    const resumedMs = clock.now();
    await change("late", { suspend: false });
    await change("toolate", { suspend: false });
    const made = await soon("one Job", async () => (await jobsOf("late"))[0], 1000);
    await stop("late");
    await stop("toolate");
    const minute = Number(made.metadata.name.replace("late-", ""));
    t.ok(minute >= Math.floor(resumedMs / minuteMs), "the most recent run");
    await soon("it is told", async () =>
      (await toldOf("late")).includes(
        "Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
      ),
    );
    t.strictSame(await jobsOf("toolate"), []);
  });

  await t.test("a schedule that never comes is told of; the others are served", async (t) => {
    await create("never", { schedule: "0 0 31 2 *" });
    await create("zoned", { schedule: "30 5 * * *", timeZone: "Asia/Kolkata" });
    await soon("the event", async () =>
      (await toldOf("never")).includes(
        "Warning InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second",
      ),
    );
    const job = await soon("its time in its zone", async () => (await jobsOf("zoned"))[0], 30 * minuteMs);
    const scheduled = job.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? "";
    t.match(scheduled, /T05:30:00\+05:30$/);
    t.match(new Date(scheduled).toISOString(), /T00:00:00/);
    await stop("zoned");
  });

  await t.test("an active Job that somebody deleted is forgotten", async () => {
    await create("robbed", {});
    const job = await soon("a Job", async () => (await jobsOf("robbed"))[0]);
    await soon("is active", async () => (await read("robbed")).status?.active?.length);
    await stop("robbed");
    for (const each of await jobsOf("robbed")) {
      const where = { name: each.metadata.name, namespace };
      await client.delete(jobs, where, { propagationPolicy: "Background" });
    }
    await soon("it is missed", async () =>
      (await toldOf("robbed")).includes(`Normal MissingJob Active job went missing: ${job.metadata.name}`),
    );
    await soon("none is active", async () => (await read("robbed")).status?.active === undefined);
  });

  await t.test("how late the Jobs were made can be read off the metrics", async (t) => {
    const figures = await metrics.render();
    t.match(figures, /^cronjob_controller_job_creation_skew_duration_seconds_count [1-9]/m);
    t.match(figures, /^cronjob_controller_job_creation_skew_duration_seconds_bucket\{le="512"\} \d/m);
  });
});
