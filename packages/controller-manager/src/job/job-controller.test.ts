// Jobs against a real apiserver: the test plays the kubelet and steps the clock.

import { type JobSpec, jobs } from "@picokube/api/batch/v1";
import { pods } from "@picokube/api/core/v1";
import { test } from "tap";
import { jobHarness } from "./job-harness.testing.js";
import { completionIndexKey, failureCountAnnotation, trackingFinalizer } from "./job-pods.js";

const namespace = "default";

test("Jobs", async (t) => {
  const harness = await jobHarness(t);
  const { client, clock, soon, podsOf, createJob, readJob, patchJob, end, run, remove } = harness;
  const { activePods, finished, eventsOf } = harness;

  await t.test("completions one after the other, no more at once than parallelism", async (t) => {
    await createJob("three", { completions: 3, parallelism: 2 });
    const first = await activePods("three", 2);
    t.ok(first.every(({ metadata }) => metadata.finalizers?.includes(trackingFinalizer)));
    await run(first[1]!);
    await soon("ready is told", async () => (await readJob("three")).status?.ready === 1);
    t.match((await readJob("three")).status, { active: 2, ready: 1, terminating: 0, uncountedTerminatedPods: {} });
    t.equal((await readJob("three")).status?.startTime !== undefined, true);
    for (const pod of first) await end(pod, 0);
    const [last] = await activePods("three", 1);
    await end(last!, 0);
    const { status } = await finished("three", "Complete");
    const words = {
      status: "True",
      reason: "CompletionsReached",
      message: "Reached expected number of succeeded pods",
    };
    t.match(status?.conditions, [
      { type: "SuccessCriteriaMet", ...words },
      { type: "Complete", ...words },
    ]);
    t.equal(status?.succeeded, 3);
    t.equal(status?.completionTime, status?.conditions?.[1]?.lastTransitionTime);
    t.strictSame([status?.active, status?.failed, status?.terminating, status?.ready], [undefined, undefined, 0, 0]);
    const ended = await podsOf("three");
    t.equal(ended.length, 3);
    t.ok(ended.every(({ metadata }) => metadata.finalizers === undefined));
    await soon("the events", async () => {
      const told = (await eventsOf("three")).sort();
      return (
        told.length === 4 && told[0] === "Normal Completed Job completed" && told[1]!.includes("Created pod: three-")
      );
    });
  });

  await t.test("an Indexed Job: each index once, retried on its own, failed on its own", async (t) => {
    const spec = { completionMode: "Indexed", completions: 3, parallelism: 3, backoffLimitPerIndex: 1 } as const;
    await createJob("indexed", spec);
    const byIndex = async (index: number) =>
      soon(`a pod of index ${index}`, async () =>
        (await podsOf("indexed")).find(
          ({ metadata, status }) =>
            metadata.annotations?.[completionIndexKey] === String(index) && status?.phase === "Pending",
        ),
      );
    const zero = await byIndex(0);
    t.match(zero, {
      metadata: { name: /^indexed-0-[a-z0-9]{5}$/, labels: { [completionIndexKey]: "0" } },
      spec: { hostname: "indexed-0" },
    });
    await end(zero, 0);
    await end(await byIndex(2), 0);
    await soon("two indexes", async () => (await readJob("indexed")).status?.completedIndexes === "0,2");
    await end(await byIndex(1), 1);
    const heir = await byIndex(1);
    t.equal(heir.metadata.annotations?.[failureCountAnnotation], "1");
    await end(heir, 1);
    const { status } = await finished("indexed", "Failed");
    t.match(status, { succeeded: 2, failed: 2, completedIndexes: "0,2", failedIndexes: "1" });
    t.match(status?.conditions, [
      { type: "FailureTarget", reason: "FailedIndexes" },
      { type: "Failed", reason: "FailedIndexes", message: "Job has failed indexes" },
    ]);
  });

  await t.test("a failed pod is replaced after 10 s; too many end the Job and its other pods", async (t) => {
    await createJob("failing", { completions: 3, parallelism: 2, backoffLimit: 1 });
    const [one, two] = await activePods("failing", 2);
    const failedAtMs = clock.now();
    await end(one!, 1);
    await activePods("failing", 2);
    t.ok(clock.now() - failedAtMs >= 10_000, "not before the back-off is over");
    await soon("the status says so", async () => {
      const { status } = await readJob("failing");
      return status?.failed === 1 && status.active === 2;
    });
    await end(two!, 1);
    const over = await soon("the other pod is told to end", async () =>
      (await podsOf("failing")).find(({ metadata }) => metadata.deletionTimestamp),
    );
    const announced = await soon("the end is announced", async () => {
      const { status } = await readJob("failing");
      return status?.conditions?.length === 1 && status;
    });
    t.match(announced, { terminating: 1, conditions: [{ type: "FailureTarget", reason: "BackoffLimitExceeded" }] });
    await remove(over);
    const { status } = await finished("failing", "Failed");
    t.match(status, { failed: 3, conditions: [{}, { message: "Job has reached the specified backoff limit" }] });
    await soon("the event", async () =>
      (await eventsOf("failing")).includes("Warning BackoffLimitExceeded Job has reached the specified backoff limit"),
    );
  });

  await t.test("podFailurePolicy: a disruption is not counted, an exit code ends the Job", async (t) => {
    const rules: NonNullable<JobSpec["podFailurePolicy"]>["rules"] = [
      { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
      { action: "FailJob", onExitCodes: { operator: "In", values: [42] } },
    ];
    await createJob("ruled", { backoffLimit: 0, podFailurePolicy: { rules } });
    const [disrupted] = await activePods("ruled", 1);
    await end(disrupted!, 137, [{ type: "DisruptionTarget", status: "True" }]);
    const [next] = await soon("a replacement", async () => {
      const found = await activePods("ruled", 1);
      return found[0]!.metadata.uid !== disrupted!.metadata.uid && found;
    });
    t.equal((await readJob("ruled")).status?.failed, undefined);
    await end(next!, 42);
    const { status } = await finished("ruled", "Failed");
    const message = `Container main for pod default/${next!.metadata.name} failed with exit code 42 matching FailJob rule at index 1`;
    t.match(status, { failed: 1, conditions: [{ type: "FailureTarget" }, { reason: "PodFailurePolicy", message }] });
  });

  await t.test("successPolicy: enough is enough, the rest is ended without blame", async (t) => {
    const successPolicy = { rules: [{ succeededIndexes: "0" }] };
    await createJob("leader", { completionMode: "Indexed", completions: 3, parallelism: 3, successPolicy });
    const started = await activePods("leader", 3);
    await end(started.find(({ metadata }) => metadata.annotations?.[completionIndexKey] === "0")!, 0);
    const removed = new Set<string>();
    await soon("the others are told to end", async () => {
      const leaving = (await podsOf("leader")).filter(({ metadata }) => metadata.deletionTimestamp);
      for (const pod of leaving) {
        await remove(pod);
        removed.add(pod.metadata.uid);
      }
      return removed.size === 2;
    });
    const { status } = await finished("leader", "Complete");
    t.match(status, { succeeded: 1, completedIndexes: "0" });
    t.equal(status?.failed, undefined);
    t.match(status?.conditions, [
      { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: "Matched rules at index 0" },
      { type: "Complete", reason: "SuccessPolicy", message: "Matched rules at index 0" },
    ]);
  });

  await t.test("suspend takes the pods away, resume starts the clock anew; the deadline ends it", async (t) => {
    await createJob("paused", { suspend: true, activeDeadlineSeconds: 30 });
    const isSuspended = async (status: string) =>
      soon(`Suspended is ${status}`, async () => {
        const job = await readJob("paused");
        return job.status?.conditions?.some((each) => each.type === "Suspended" && each.status === status) && job;
      });
    t.equal((await isSuspended("True")).status?.startTime, undefined);
    await patchJob("paused", { suspend: false });
    await activePods("paused", 1);
    const started = (await isSuspended("False")).status?.startTime;
    t.ok(started);
    await clock.advance(5000);
    await patchJob("paused", { suspend: true });
    await soon("the pod was told to end and is not counted", async () => {
      const [pod] = await podsOf("paused");
      return pod?.metadata.deletionTimestamp !== undefined && pod.metadata.finalizers === undefined;
    });
    await isSuspended("True");
    for (const pod of await podsOf("paused")) await remove(pod);
    await clock.advance(60_000);
    await patchJob("paused", { suspend: false });
    const resumed = await isSuspended("False");
    t.ok(Date.parse(resumed.status?.startTime ?? "") >= Date.parse(started!) + 60_000);
    t.match(resumed.status?.conditions, [{ type: "Suspended", reason: "JobResumed", message: "Job resumed" }]);
    await activePods("paused", 1);
    await clock.advance(30_000);
    await soon("its pod is told to end", async () => {
      const [pod] = await podsOf("paused");
      if (pod?.metadata.deletionTimestamp) await remove(pod);
      return (await podsOf("paused")).length === 0;
    });
    const { status } = await finished("paused", "Failed");
    t.match(status?.conditions?.at(-1), {
      reason: "DeadlineExceeded",
      message: "Job was active longer than specified deadline",
    });
    await soon("the events", async () => {
      const told = await eventsOf("paused");
      return told.includes("Normal Suspended Job suspended") && told.includes("Normal Resumed Job resumed");
    });
  });

  await t.test("podReplacementPolicy Failed waits for the end of what it replaces", async (t) => {
    await createJob("patient", { podReplacementPolicy: "Failed" });
    const [pod] = await activePods("patient", 1);
    await client.delete(pods, { name: pod!.metadata.name, namespace });
    await soon("terminating is told", async () => (await readJob("patient")).status?.terminating === 1);
    await clock.advance(30_000);
    t.equal((await podsOf("patient")).length, 1);
    t.equal((await readJob("patient")).status?.failed, undefined);
    await end(pod!, 143);
    await remove(pod!).catch(() => {});
    await activePods("patient", 1);
    await soon("failed once", async () => (await readJob("patient")).status?.failed === 1);
  });

  await t.test("one that another controller manages is left alone", async (t) => {
    await createJob("foreign", { managedBy: "example.com/other" });
    await createJob("mine", {});
    await activePods("mine", 1);
    t.strictSame((await readJob("foreign")).status, {});
  });

  await t.test("orphans are adopted with a finalizer, and let go when their Job is gone", async (t) => {
    const job = await createJob("owner", { suspend: true });
    const labels = job.spec!.template.metadata!.labels!;
    const spec = { nodeName: "n1", restartPolicy: "Never" as const, containers: [{ name: "main", image: "busybox" }] };
    await client.create(pods, {
      metadata: { name: "found", namespace, labels, finalizers: ["example.com/keep"] },
      spec,
    });
    await end(await client.get(pods, { name: "found", namespace }), 0);
    const adopted = await soon("adoption, and the count of one that had ended", async () => {
      const { metadata } = await client.get(pods, { name: "found", namespace });
      return (
        metadata.ownerReferences?.[0]?.name === "owner" && (await readJob("owner")).status?.succeeded === 1 && metadata
      );
    });
    t.equal(adopted.finalizers?.includes("example.com/keep"), true);
    await soon("its finalizer is gone", async () => {
      const { metadata } = await client.get(pods, { name: "found", namespace });
      return JSON.stringify(metadata.finalizers) === '["example.com/keep"]';
    });

    await createJob("leaves", {});
    const [pod] = await activePods("leaves", 1);
    await client.delete(jobs, { name: "leaves", namespace }, { propagationPolicy: "Background" });
    await soon("the pod may go", async () => {
      const { metadata } = await client.get(pods, { name: pod!.metadata.name, namespace });
      return metadata.finalizers === undefined;
    });
  });

  await t.test("one whose pods are refused is tried again, and the rest is served", async () => {
    await createJob("poisoned", {}, { priorityClassName: "no-such-class" });
    await soon("its failure is told", async () =>
      (await eventsOf("poisoned")).some((each) => each.startsWith("Warning FailedCreate Error creating: ")),
    );
    await createJob("healthy", {});
    const [pod] = await activePods("healthy", 1);
    await end(pod!, 0);
    await finished("healthy", "Complete");
  });

  await t.test("what happened can be read off the metrics", async (t) => {
    const figures = await harness.figures();
    const has = (line: string) => t.ok(figures.includes(`job_controller_${line}\n`), line);
    has('jobs_finished_total{completion_mode="Indexed",result="failed",reason="FailedIndexes"} 1');
    has('job_finished_indexes_total{status="succeeded",backoffLimit="perIndex"} 2');
    has('job_finished_indexes_total{status="failed",backoffLimit="perIndex"} 1');
    has('jobs_by_external_controller_total{controller_name="example.com/other"} 1');
    has('pod_failures_handled_by_failure_policy_total{action="Ignore"} 1');
    has('pod_failures_handled_by_failure_policy_total{action="FailJob"} 1');
    t.match(
      figures,
      /^job_controller_job_syncs_total\{completion_mode="NonIndexed",result="success",action="tracking"\} \d/m,
    );
    t.match(figures, /^job_controller_job_sync_duration_seconds_count\{.*action="pods_created"\} \d/m);
    t.match(
      figures,
      /^job_controller_jobs_finished_total\{completion_mode="NonIndexed",result="succeeded",reason="CompletionsReached"\} \d/m,
    );
    t.match(figures, /^job_controller_job_pods_creation_total\{reason="new",status="failed"\} \d/m);
    t.match(figures, /^job_controller_job_pods_finished_total\{completion_mode="Indexed",result="failed"\} 2$/m);
    t.match(figures, /^job_controller_terminated_pods_tracking_finalizer_total\{event="delete"\} \d/m);
  });
});
