// What a Job and its pods amount to, by table.

import type { Job, JobSpec } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { formatIntervals } from "./index-intervals.js";
import { job, jobPod, startMs } from "./job.testing.js";
import { deadlineLeftMs, observeJob } from "./job-observation.js";
import { failureCountAnnotation } from "./job-pods.js";
import { noFailures } from "./pod-backoff.js";

function observe(
  { spec, status }: { spec?: Partial<JobSpec>; status?: Job["status"] },
  pods: readonly Pod[],
  { released = [] as string[], afterMs = 1000 } = {},
) {
  return observeJob({
    job: job({ ...(spec ? { spec } : {}), ...(status ? { status } : {}) }),
    pods,
    released: new Set(released),
    failuresBefore: noFailures,
    nowMs: startMs + afterMs,
  });
}

test("ended pods count once: in the status, waiting to get there, or new", async (t) => {
  const pods = [
    jobPod("new", { phase: "Succeeded" }),
    jobPod("waiting", { phase: "Succeeded" }),
    jobPod("counted", { phase: "Succeeded", finalizer: false }),
    jobPod("released", { phase: "Succeeded" }),
    jobPod("lost", { phase: "Failed" }),
    jobPod("leaving", { deletedAt: 5 }),
    jobPod("runs"),
  ];
  const status = { succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ["uid-pod-waiting"] } };
  const seen = observe({ status }, pods, { released: ["uid-pod-released"] });
  t.equal(seen.succeeded, 4, "two of the status, one that waits, one new");
  t.equal(seen.failed, 3, "one of the status, one failed, one deleted before it ended");
  t.equal(seen.active.length, 1);
  t.equal(seen.terminating, 1);
  t.equal(seen.failures.failures, 1, "of two only one failed after the last success");
  t.equal(
    observe({ spec: { podReplacementPolicy: "Failed" } }, pods).failed,
    1,
    "a pod that still ends has not failed",
  );
});

test("how a Job ends", async (t) => {
  const failed = (count: number) => Array.from({ length: count }, (_, i) => jobPod(`f${i}`, { phase: "Failed" }));
  const reason = (...args: Parameters<typeof observe>) => observe(...args).verdict?.reason;
  t.equal(reason({ spec: { backoffLimit: 2 } }, failed(2)), undefined);
  t.equal(reason({ spec: { backoffLimit: 2 } }, failed(3)), "BackoffLimitExceeded");
  const template = { spec: { restartPolicy: "OnFailure", containers: [{ name: "main" }] } } as JobSpec["template"];
  t.equal(reason({ spec: { backoffLimit: 2, template } }, [jobPod("a", { restarts: 1 })]), undefined);
  t.equal(reason({ spec: { backoffLimit: 2, template } }, [jobPod("a", { restarts: 2 })]), "BackoffLimitExceeded");
  t.equal(reason({ spec: { backoffLimit: 0, template } }, [jobPod("a", { restarts: 1 })]), "BackoffLimitExceeded");
  const deadline = { activeDeadlineSeconds: 10 };
  t.equal(reason({ spec: deadline }, [], { afterMs: 9999 }), undefined);
  t.equal(reason({ spec: deadline }, [], { afterMs: 10_000 }), "DeadlineExceeded");
  t.equal(reason({ spec: { ...deadline, suspend: true } }, [], { afterMs: 99_000 }), undefined);
  t.equal(deadlineLeftMs(job({ spec: deadline }), startMs + 4000), 6000);
  const suspended = { conditions: [{ type: "Suspended", status: "True" as const }] };
  t.equal(reason({ spec: deadline, status: suspended }, [], { afterMs: 99_000 }), undefined, "resumed a moment ago");
  const rules = [{ action: "FailJob", onExitCodes: { operator: "In", values: [42] } }];
  const policy = { podFailurePolicy: { rules } } as Partial<JobSpec>;
  t.equal(reason({ spec: policy }, [jobPod("a", { phase: "Failed", exitCode: 1 })]), undefined);
  t.match(observe({ spec: policy }, [jobPod("a", { phase: "Failed", exitCode: 42 })]).verdict, {
    type: "FailureTarget",
    reason: "PodFailurePolicy",
    message: "Container main for pod default/a failed with exit code 42 matching FailJob rule at index 0",
  });
  const conditions = [{ type: "SuccessCriteriaMet", status: "True" as const, reason: "SuccessPolicy", message: "m" }];
  t.equal(reason({ spec: { backoffLimit: 0 }, status: { conditions } }, failed(3)), "SuccessPolicy", "said is said");
});

test("indexes: completed, failed, and those whose last failure must be inherited", async (t) => {
  const spec: Partial<JobSpec> = { completionMode: "Indexed", completions: 4, parallelism: 4, backoffLimitPerIndex: 1 };
  const twice = { [failureCountAnnotation]: "1" };
  const pods = [
    jobPod("zero", { phase: "Succeeded", index: 0 }),
    jobPod("one", { phase: "Failed", index: 1 }),
    jobPod("two", { phase: "Failed", index: 2, annotations: twice }),
    jobPod("none", { phase: "Succeeded" }),
    jobPod("far", { phase: "Succeeded", index: 9 }),
  ];
  const seen = observe({ spec, status: { completedIndexes: "3" } }, pods);
  t.equal(formatIntervals(seen.succeededIndexes), "0,3");
  t.equal(seen.succeeded, 2);
  t.equal(formatIntervals(seen.failedIndexes!), "2");
  t.strictSame([...seen.awaitingReplacement.keys()], [1]);
  t.equal(seen.verdict, undefined);
  t.equal(observe({ spec: { ...spec, maxFailedIndexes: 0 } }, pods).verdict?.reason, "MaxFailedIndexesExceeded");
  const rest = [...pods, jobPod("again", { phase: "Succeeded", index: 1 })];
  const done = observe({ spec, status: { completedIndexes: "3" } }, rest);
  t.match(done.verdict, { type: "FailureTarget", reason: "FailedIndexes", message: "Job has failed indexes" });
  t.equal(done.awaitingReplacement.size, 0);
  const byRule = {
    podFailurePolicy: { rules: [{ action: "FailIndex", onExitCodes: { operator: "In", values: [7] } }] },
  };
  const atOnce = observe({ spec: { ...spec, ...byRule } as Partial<JobSpec> }, [
    jobPod("x", { phase: "Failed", index: 0, exitCode: 7 }),
  ]);
  t.equal(formatIntervals(atOnce.failedIndexes!), "0");
  const successPolicy = { rules: [{ succeededIndexes: "1-3", succeededCount: 2 }, { succeededCount: 2 }] };
  const early = observe({ spec: { ...spec, successPolicy }, status: { completedIndexes: "3" } }, pods);
  t.match(early.verdict, { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: "Matched rules at index 1" });
});
