// Which pods a Job creates and deletes, by table.

import type { JobSpec } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { job, jobPod, startMs } from "./job.testing.js";
import { observeJob } from "./job-observation.js";
import { planPods } from "./job-plan.js";
import { newJobPod } from "./job-pod-template.js";
import { failureCountAnnotation, ignoredFailureCountAnnotation } from "./job-pods.js";
import { finishedMs, noFailures, recordEnds, remainingMs } from "./pod-backoff.js";

function plan(spec: Partial<JobSpec>, pods: readonly Pod[], { status = {}, afterMs = 60_000 } = {}) {
  const nowMs = startMs + afterMs;
  const observed = { job: job({ spec, status }), pods, released: new Set<string>(), failuresBefore: noFailures, nowMs };
  const { create, delete: doomed, waitMs } = planPods(observeJob(observed), nowMs);
  return { create, delete: doomed.map(({ metadata }) => metadata.name), ...(waitMs === undefined ? {} : { waitMs }) };
}
const none = { create: [], delete: [] };
const pods = (count: number) => Array.from({ length: count }, () => undefined);

test("as many as parallelism and what is left to complete allow", async (t) => {
  t.strictSame(plan({ parallelism: 2, completions: 5 }, []), { ...none, create: pods(2) });
  t.strictSame(plan({ parallelism: 3, completions: 5 }, [], { status: { succeeded: 4 } }), {
    ...none,
    create: pods(1),
  });
  t.strictSame(plan({ parallelism: 3, completions: 5 }, [jobPod("a"), jobPod("b"), jobPod("c")]), none);
  t.equal(plan({ parallelism: 2000, completions: 2000 }, []).create.length, 500);
  t.strictSame(plan({ parallelism: 3 }, [jobPod("a")]), { ...none, create: pods(2) }, "a work queue");
  t.strictSame(plan({ parallelism: 3 }, [jobPod("a")], { status: { succeeded: 1 } }), none, "no more after a success");
  t.strictSame(plan({ parallelism: 1, completions: 5 }, [jobPod("a"), jobPod("b", { phase: "Pending" })]).delete, [
    "b",
  ]);
  t.strictSame(plan({ suspend: true, parallelism: 2 }, [jobPod("a"), jobPod("b")]).delete, ["a", "b"]);
});

test("failed pods are replaced after 10 s, then 20 s, 10 minutes at most", async (t) => {
  const failed = (seconds: number) => jobPod(`at${seconds}`, { phase: "Failed", endedAt: seconds });
  t.strictSame(plan({}, [failed(5)], { afterMs: 8000 }), { ...none, waitMs: 7000 });
  t.strictSame(plan({}, [failed(5)], { afterMs: 15_000 }), { ...none, create: pods(1) });
  t.strictSame(plan({}, [failed(5), failed(6)], { afterMs: 16_000 }), { ...none, waitMs: 10_000 });
  t.equal(remainingMs({ failures: 6, lastFailureMs: 0 }, 0), 320_000);
  t.equal(remainingMs({ failures: 7, lastFailureMs: 0 }, 0), 600_000);
  t.equal(remainingMs({ failures: 60, lastFailureMs: 0 }, 0), 600_000);
  const success = jobPod("good", { phase: "Succeeded", endedAt: 5 });
  const record = recordEnds(
    { failures: 3, lastFailureMs: 1 },
    { succeeded: [success], failed: [failed(4), failed(7)] },
  );
  t.strictSame(record, { failures: 1, lastFailureMs: startMs + 7000 }, "a success starts anew");
  t.equal(finishedMs(jobPod("gone", { deletedAt: 9 })), startMs + 9000);
});

test("a pod on its way out keeps its place only where the policy says so", async (t) => {
  const leaving = [jobPod("leaving", { deletedAt: 1 })];
  t.strictSame(plan({ podReplacementPolicy: "Failed" }, leaving), none);
  t.strictSame(plan({ podReplacementPolicy: "TerminatingOrFailed" }, leaving).create, pods(1));
});

test("indexes: the lowest free ones; one pod each", async (t) => {
  const indexed: Partial<JobSpec> = { completionMode: "Indexed", completions: 5, parallelism: 3 };
  t.strictSame(plan(indexed, [jobPod("b", { index: 1 })], { status: { completedIndexes: "0" } }).create, [2, 3]);
  const twins = [jobPod("a", { index: 0 }), jobPod("b", { index: 0, phase: "Pending" }), jobPod("c", { index: 7 })];
  t.strictSame(plan(indexed, [...twins, jobPod("d")]).delete.sort(), ["b", "c", "d"]);
  const perIndex = { ...indexed, backoffLimitPerIndex: 3 };
  const failed = (index: number, endedAt: number) => jobPod(`f${index}`, { phase: "Failed", index, endedAt });
  t.strictSame(plan(perIndex, [failed(0, 55)]).create, [1, 2], "only the index that failed waits");
  t.strictSame(plan({ ...perIndex, completions: 1 }, [failed(0, 55)]), { ...none, waitMs: 5000 });
});

test("what an Indexed Job's pod is told", async (t) => {
  const rules = [{ action: "Ignore", onExitCodes: { operator: "In", values: [3] } }];
  const spec = { completionMode: "Indexed", completions: 9, backoffLimitPerIndex: 2, podFailurePolicy: { rules } };
  const { template, generateName } = newJobPod(job({ spec: spec as Partial<JobSpec> }), {
    index: 4,
    replaced: undefined,
  });
  t.equal(generateName, "work-4-");
  t.match(template, {
    metadata: {
      finalizers: ["batch.kubernetes.io/job-tracking"],
      labels: { "batch.kubernetes.io/job-completion-index": "4" },
      annotations: { "batch.kubernetes.io/job-completion-index": "4", [failureCountAnnotation]: "0" },
    },
    spec: { hostname: "work-4" },
  });
  t.strictSame(template.spec?.containers[0]?.env, [
    {
      name: "JOB_COMPLETION_INDEX",
      valueFrom: { fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } },
    },
  ]);
  const inherit = (exitCode: number) => {
    const annotations = { [failureCountAnnotation]: "1" };
    const replaced = jobPod("old", { phase: "Failed", index: 4, exitCode, annotations });
    const next = newJobPod(job({ spec: spec as Partial<JobSpec> }), { index: 4, replaced });
    const told = next.template.metadata?.annotations;
    return [told?.[failureCountAnnotation], told?.[ignoredFailureCountAnnotation]];
  };
  t.strictSame(inherit(1), ["2", undefined]);
  t.strictSame(inherit(3), ["1", "1"]);
  t.equal(newJobPod(job(), { index: undefined, replaced: undefined }).generateName, "work-");
});
