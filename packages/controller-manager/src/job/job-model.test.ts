// Jobs under a controller that dies at any write, pods that end, fail and vanish by chance: each pod is counted once, no
// more run than may, and all of it comes to an end. Seeded.

import { type Job, type JobSpec, jobs } from "@picokube/api/batch/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { formatTime } from "@picokube/api/time";
import { startApiServer, type TestApiServer } from "@picokube/testing/apiserver";
import { eventually } from "@picokube/testing/eventually";
import { steppingClock } from "@picokube/testing/stepping-clock";
import { type Test, test } from "tap";
import { crashingControllers } from "../crashing-controllers.testing.js";
import { runControllers } from "../run-controllers.testing.js";
import { seededRandom } from "../seeded-random.testing.js";
import { serviceAccountController } from "../serviceaccount/serviceaccount-controller.js";
import { jobController } from "./job-controller.js";
import { isJobFinished } from "./job-pods.js";

const namespace = "default";
const specs: readonly Omit<Partial<JobSpec>, "template">[] = [
  { completions: 7, parallelism: 4, backoffLimit: 1000 },
  { completions: 7, parallelism: 4, backoffLimit: 1000, podReplacementPolicy: "Failed" },
  { completionMode: "Indexed", completions: 7, parallelism: 4, backoffLimit: 1000 },
  { completionMode: "Indexed", completions: 6, parallelism: 3, backoffLimitPerIndex: 50 },
];

interface Ended {
  readonly succeeded: Set<string>;
  readonly failed: Set<string>;
}

async function play(t: Test, server: TestApiServer, { name, seed }: { name: string; seed: number }): Promise<void> {
  const { client } = server;
  const random = seededRandom(seed);
  const clock = steppingClock(Math.floor(Date.now() / 1000) * 1000);
  const controllers = crashingControllers(t, { client, create: [jobController], clock, random });
  const ended: Ended = { succeeded: new Set(), failed: new Set() };
  const read = () => client.get(jobs, { name, namespace });

  async function end(pod: Pod, phase: "Succeeded" | "Failed"): Promise<void> {
    const finishedAt = formatTime(clock.now());
    const state = { terminated: { exitCode: phase === "Failed" ? 1 : 0, finishedAt } };
    const containerStatuses = [{ name: "main", image: "busybox", imageID: "", ready: false, restartCount: 0, state }];
    const where = { name: pod.metadata.name, namespace };
    await client.patch(
      pods,
      where,
      { status: { phase, containerStatuses } },
      { type: "strategic", subresource: "status" },
    );
    ended[phase === "Failed" ? "failed" : "succeeded"].add(pod.metadata.uid);
  }

  function check(job: Job, all: readonly Pod[]): void {
    const { succeeded = 0, failed = 0, uncountedTerminatedPods: uncounted } = job.status ?? {};
    const known = (uids: readonly string[] = []) => uids.length;
    t.ok(succeeded + known(uncounted?.succeeded) <= ended.succeeded.size, `seed ${seed}: no success is counted twice`);
    t.ok(failed + known(uncounted?.failed) <= ended.failed.size, `seed ${seed}: no failure is counted twice`);
    const running = all.filter(({ metadata, status }) => !metadata.deletionTimestamp && !isEnded(status?.phase));
    t.ok(running.length <= (job.spec?.parallelism ?? 1), `seed ${seed}: ${running.length} run`);
  }

  const done = await eventually(
    `seed ${seed}: the Job is over`,
    async () => {
      await clock.advance(random.below(8000));
      const all = (await client.list(pods, { namespace, labelSelector: `job-name=${name}` })).items;
      const job = await read();
      check(job, all);
      if (isJobFinished(job)) return job;
      const alive = all.filter(({ status }) => !isEnded(status?.phase));
      for (const pod of alive) {
        if (pod.metadata.deletionTimestamp) await end(pod, "Failed");
        else if (random.chance(0.5)) await end(pod, random.chance(0.6) ? "Succeeded" : "Failed");
      }
      // Most of the work is done among crashes; the end is not, so that it does come.
      if (controllers.crashes() >= 12) controllers.calm();
      return undefined;
    },
    100_000,
  );
  t.equal(done.status?.conditions?.at(-1)?.type, "Complete", `seed ${seed}`);
  t.equal(done.status?.succeeded, done.spec?.completions, `seed ${seed}`);
  if (done.spec?.completionMode !== "Indexed")
    t.equal(ended.succeeded.size, done.status?.succeeded, `seed ${seed}: each success`);
  t.equal(done.status?.failed ?? 0, ended.failed.size, `seed ${seed}: each failure`);
  t.ok(controllers.crashes() > 0);
  const left = (await client.list(pods, { namespace, labelSelector: `job-name=${name}` })).items;
  t.ok(
    left.every(({ metadata }) => !metadata.finalizers),
    "nothing holds a pod",
  );
  t.comment(`${name}, seed ${seed}: ${controllers.crashes()} crashes, ${ended.failed.size} failures`);
}

function isEnded(phase: string | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed";
}

test("each pod is counted once, whenever the controller dies", async (t) => {
  const server = await startApiServer(t);
  runControllers(t, { client: server.client, create: [serviceAccountController] });
  for (const [index, spec] of specs.entries()) {
    const name = `model-${index}`;
    await t.test(name, async (t) => {
      const template = {
        spec: { restartPolicy: "Never" as const, nodeName: "n1", containers: [{ name: "main", image: "busybox" }] },
      };
      await server.client.create(jobs, { metadata: { name, namespace }, spec: { template, ...spec } });
      await play(t, server, { name, seed: 7 + index });
    });
  }
});
