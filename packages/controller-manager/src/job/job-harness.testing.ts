// A Job controller on a real apiserver with a clock that steps, and the test as its kubelet. For tests only.

import { type Job, type JobSpec, jobs } from "@picokube/api/batch/v1";
import { events, type Pod, pods } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { createMetrics } from "@picokube/component-base/metrics";
import { startApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import type { Test } from "tap";
import { runControllers } from "../run-controllers.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { jobController } from "./job-controller.js";

const namespace = "default";
const patience = 60_000;

/** Starts all of it; everything ends with the test. */
export async function jobHarness(t: Test) {
  const server = await startApiServer(t);
  const { client } = server;
  const clock = steppingClock(Math.floor(Date.now() / 1000) * 1000);
  runControllers(t, { client, create: [serviceAccountController] });
  const metrics = createMetrics({ withProcess: false });
  const controllers = runControllers(t, { client, create: [jobController], clock, metrics });

  /** Looks, and lets a second pass before each further look. */
  function soon<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
    const step = async () => {
      const found = await look();
      if (found === undefined || found === false) await clock.advance(1000);
      return found;
    };
    return eventually(what, step, patience);
  }

  const podsOf = async (job: string): Promise<Pod[]> =>
    (await client.list(pods, { namespace, labelSelector: `job-name=${job}` })).items;

  return {
    server,
    client,
    clock,
    controllers,
    /** What the controller measured, as Prometheus reads it. */
    figures: () => metrics.render(),
    soon,
    podsOf,
    async createJob(name: string, spec: Omit<Partial<JobSpec>, "template">, pod: object = {}): Promise<Job> {
      const containers = [{ name: "main", image: "busybox" }];
      const template = { spec: { restartPolicy: "Never", nodeName: "n1", containers, ...pod } };
      const body = { metadata: { name, namespace }, spec: { template, ...spec } as JobSpec };
      return client.create(jobs, body);
    },
    readJob: (name: string) => client.get(jobs, { name, namespace }),
    patchJob: (name: string, spec: object) => client.patch(jobs, { name, namespace }, { spec }, { type: "merge" }),
    /** As a kubelet tells that the pod's container ended. */
    async end(pod: Pod, exitCode: number, conditions: readonly object[] = []): Promise<void> {
      const terminated = {
        exitCode,
        reason: exitCode === 0 ? "Completed" : "Error",
        finishedAt: formatTime(clock.now()),
      };
      const containerStatuses = [
        { name: "main", image: "busybox", imageID: "", ready: false, restartCount: 0, state: { terminated } },
      ];
      const status = { phase: exitCode === 0 ? "Succeeded" : "Failed", conditions, containerStatuses };
      const where = { name: pod.metadata.name, namespace };
      await client.patch(pods, where, { status }, { type: "strategic", subresource: "status" });
    },
    async run(pod: Pod): Promise<void> {
      const status = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
      const where = { name: pod.metadata.name, namespace };
      await client.patch(pods, where, { status }, { type: "strategic", subresource: "status" });
    },
    /** The last word of the kubelet about a pod that was to go. */
    async remove(pod: Pod): Promise<void> {
      const where = { name: pod.metadata.name, namespace };
      await client.delete(pods, where, { gracePeriodSeconds: 0 });
    },
    /** Waits for that many pods that neither ended nor are being deleted. */
    activePods: (job: string, count: number) =>
      soon(`${job} has ${count} active pods`, async () => {
        const active = (await podsOf(job)).filter(
          ({ metadata, status }) => !metadata.deletionTimestamp && !/Succeeded|Failed/.test(status?.phase ?? ""),
        );
        return active.length === count && active;
      }),
    finished: (job: string, type: "Complete" | "Failed") =>
      soon(`${job} is ${type}`, async () => {
        const found = await client.get(jobs, { name: job, namespace });
        return found.status?.conditions?.some((each) => each.type === type && each.status === "True") && found;
      }),
    eventsOf: async (job: string) =>
      (await client.list(events, { namespace, fieldSelector: `involvedObject.name=${job}` })).items.map(
        ({ type, reason, message }) => `${type} ${reason} ${message}`,
      ),
  };
}
