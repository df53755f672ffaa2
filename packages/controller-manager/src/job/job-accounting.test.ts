// Counting ended pods, by table: each step as a crash after the one before it would find things.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { test } from "tap";
import { job, jobPod, startMs } from "./job.testing.js";
import { enterEnded, isSettled, settle, tidy } from "./job-accounting.js";
import { backoffLimitExceeded, completionsReached, type Verdict } from "./job-conditions.js";
import { observeJob } from "./job-observation.js";
import { noFailures } from "./pod-backoff.js";

type Status = NonNullable<Job["status"]>;

function enter(
  pods: readonly Pod[],
  { status = {} as Status, spec = {}, verdict = undefined as Verdict | undefined } = {},
) {
  const observed = job({ spec, status });
  const seen = observeJob({ job: observed, pods, released: new Set(), failuresBefore: noFailures, nowMs: startMs });
  return enterEnded(seen, status, verdict);
}
const names = (pods: readonly Pod[]) => pods.map(({ metadata }) => metadata.name);

test("written first, released second, counted third; from every step the count comes out the same", async (t) => {
  const pods = [jobPod("good", { phase: "Succeeded" }), jobPod("bad", { phase: "Failed" }), jobPod("runs")];
  const first = enter(pods, { status: { succeeded: 1 } });
  t.match(first.status, {
    succeeded: 1,
    failed: 0,
    uncountedTerminatedPods: { succeeded: ["uid-pod-good"], failed: ["uid-pod-bad"] },
  });
  t.strictSame(names(first.release), ["good", "bad"]);

  const again = enter(pods, { status: first.status });
  t.strictSame(again.status, first.status, "a crash after the write: nothing is entered twice");
  t.strictSame(names(again.release), ["good", "bad"]);

  const half = [jobPod("good", { phase: "Succeeded", finalizer: false }), pods[1]!, pods[2]!];
  const second = enter(half, { status: first.status });
  t.match(second.status, { succeeded: 2, failed: 0, uncountedTerminatedPods: { failed: ["uid-pod-bad"] } });
  t.equal(isSettled(second.status), false);

  const last = settle(second.status, new Set());
  t.strictSame(tidy(last), { succeeded: 2, failed: 1, uncountedTerminatedPods: {} });
  t.equal(isSettled(last), true);
  t.strictSame(settle(last, new Set()), last, "and never again");
});

test("a Job that fails counts its last pods as failed, one that succeeded does not", async (t) => {
  const pods = [jobPod("runs")];
  t.strictSame(enter(pods, { verdict: backoffLimitExceeded }).status.uncountedTerminatedPods, {
    failed: ["uid-pod-runs"],
  });
  const good = enter(pods, { verdict: completionsReached });
  t.strictSame(good.status.uncountedTerminatedPods, {});
  t.strictSame(names(good.release), ["runs"]);
  t.strictSame(names(enter(pods).release), [], "a running pod stays");
});

test("indexes are counted by the index, and a failed one waits for its heir", async (t) => {
  const spec = { completionMode: "Indexed", completions: 4, backoffLimitPerIndex: 1 };
  const pods = [
    jobPod("a", { phase: "Succeeded", index: 2 }),
    jobPod("b", { phase: "Succeeded", index: 0 }),
    jobPod("b2", { phase: "Succeeded", index: 0 }),
    jobPod("c", { phase: "Failed", index: 1 }),
  ];
  const { status, release } = enter(pods, { spec, status: { completedIndexes: "3", succeeded: 1 } });
  t.match(status, { succeeded: 3, completedIndexes: "0,2,3", failedIndexes: "" });
  t.strictSame(names(release), ["b", "b2", "a"]);
});

test("no more than 500 at once", async (t) => {
  const pods = Array.from({ length: 600 }, (_, i) => jobPod(`p${i}`, { phase: "Succeeded" }));
  const { release, full } = enter(pods, { spec: { completions: 600 } });
  t.equal(release.length, 500);
  t.equal(full, true);
});
