// Finished Jobs go when their time is over; a real apiserver, a clock that steps.

import { type Job, jobs } from "@picokube/api/batch/v1";
import { formatTime } from "@picokube/api/time";
import { ifThere } from "@picokube/client/if-there";
import { startApiServer } from "@picokube/testing/apiserver";
import { object } from "@picokube/testing/builders";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { ttlAfterFinishedController } from "./ttl-after-finished-controller.js";
import { ttlLeftMs } from "./ttl-left.js";

const namespace = "default";

test("how long a Job may stay", async (t) => {
  const nowMs = Date.parse("2026-01-01T00:01:00Z");
  const ended = (type: string, ttlSecondsAfterFinished?: number) =>
    object(jobs, "a", {
      spec: ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished },
      status: { conditions: [{ type, status: "True", lastTransitionTime: "2026-01-01T00:00:30Z" }] },
    } as Partial<Job>);
  t.equal(ttlLeftMs(ended("Complete", 100), nowMs), 70_000);
  t.equal(ttlLeftMs(ended("Failed", 0), nowMs), -30_000);
  t.equal(ttlLeftMs(ended("Complete"), nowMs), undefined);
  t.equal(ttlLeftMs(ended("Suspended", 100), nowMs), undefined);
});

test("a finished Job is deleted when its time is over, not before, and not when it was prolonged", async (t) => {
  const { client } = await startApiServer(t);
  const clock = steppingClock(Math.floor(Date.now() / 1000) * 1000);
  const controllers = runControllers(t, { client, create: [ttlAfterFinishedController], clock });
  const finish = async (name: string, { seconds, timed = true }: { seconds?: number; timed?: boolean }) => {
    const template = { spec: { restartPolicy: "Never" as const, containers: [{ name: "main", image: "busybox" }] } };
    const ttl = seconds === undefined ? {} : { ttlSecondsAfterFinished: seconds };
    await client.create(jobs, { metadata: { name, namespace }, spec: { template, ...ttl } });
    const now = formatTime(clock.now());
    const at = { status: "True", ...(timed ? { lastProbeTime: now, lastTransitionTime: now } : {}) };
    const conditions = [
      { type: "SuccessCriteriaMet", ...at },
      { type: "Complete", ...at },
    ];
    const status = { startTime: now, completionTime: now, conditions };
    await client.patch(jobs, { name, namespace }, { status }, { type: "merge", subresource: "status" });
  };
  const leaving = async (name: string) => {
    const job = await ifThere(client.get(jobs, { name, namespace }));
    return !job || job.metadata.deletionTimestamp !== undefined;
  };
  await finish("timeless", { seconds: 30, timed: false });
  await finish("short", { seconds: 30 });
  await finish("prolonged", { seconds: 30 });
  await finish("kept", {});
  await finish("now", { seconds: 0 });
  await eventually("one without any time goes at once", () => leaving("now"), 60_000);
  await clock.whenWaiting(2);
  await clock.advance(29_000);
  t.notOk(await leaving("short"));
  await client.patch(
    jobs,
    { name: "prolonged", namespace },
    { spec: { ttlSecondsAfterFinished: 3600 } },
    { type: "merge" },
  );
  await clock.advance(2000);
  await eventually("its time is over", () => leaving("short"), 60_000);
  await clock.advance(60_000);
  t.notOk(await leaving("prolonged"));
  t.notOk(await leaving("kept"));
  t.notOk(await leaving("timeless"));
  t.match(controllers.log(), /unable to find the time when the Job default\/timeless finished/, "it held up nobody");
});
