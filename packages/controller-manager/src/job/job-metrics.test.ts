// What one status more, one pod more and one creation more add to the counters, by table.

import type { Job } from "@picokube/api/batch/v1";
import { jobs } from "@picokube/api/batch/v1";
import { createMetrics } from "@picokube/component-base/metrics";
import { object, pod } from "@picokube/testing/builders";
import { test } from "tap";
import { createJobMetrics } from "./job-metrics.js";
import type { JobObservation } from "./job-observation.js";
import { trackingFinalizer } from "./job-pods.js";

function fresh() {
  const metrics = createMetrics({ withProcess: false });
  const lines = async () =>
    (await metrics.render())
      .split("\n")
      .filter((line) => line.startsWith("job_controller_") && !/_bucket|_sum|_count/.test(line))
      .map((line) => line.replace("job_controller_", ""));
  return { job: createJobMetrics(metrics), lines };
}

const job = (spec: object, status: object = {}) => object(jobs, "j", { spec, status } as object) as Job;

test("a status counts what it says more than the one before", async (t) => {
  const rows: [string, object, object, object, string[]][] = [
    [
      "plain",
      { completions: 3 },
      { succeeded: 1 },
      { succeeded: 3, failed: 2 },
      [
        'job_pods_finished_total{completion_mode="NonIndexed",result="succeeded"} 2',
        'job_pods_finished_total{completion_mode="NonIndexed",result="failed"} 2',
      ],
    ],
    [
      "indexes",
      { completionMode: "Indexed", completions: 5, backoffLimitPerIndex: 1 },
      { completedIndexes: "0" },
      { completedIndexes: "0-2", failedIndexes: "4", failed: 2 },
      [
        'job_pods_finished_total{completion_mode="Indexed",result="succeeded"} 2',
        'job_pods_finished_total{completion_mode="Indexed",result="failed"} 2',
        'job_finished_indexes_total{status="succeeded",backoffLimit="perIndex"} 2',
        'job_finished_indexes_total{status="failed",backoffLimit="perIndex"} 1',
      ],
    ],
    [
      "an index beyond completions, and a smaller number",
      { completionMode: "Indexed", completions: 2 },
      { completedIndexes: "0,1,3", succeeded: 3 },
      { completedIndexes: "0", succeeded: 1 },
      [],
    ],
  ];
  for (const [name, spec, before, after, expected] of rows) {
    const { job: measures, lines } = fresh();
    measures.counted(job(spec, after), before as Job["status"]);
    t.strictSame((await lines()).sort(), [...expected].sort(), name);
  }
});

test("a finalizer counts when an ended pod gets or loses it", async (t) => {
  const held = (phase: string, finalizers = [trackingFinalizer]) =>
    pod("p", { metadata: { finalizers }, status: { phase } as object });
  const rows: [ReturnType<typeof held> | undefined, ReturnType<typeof held> | undefined, string[]][] = [
    [undefined, held("Running"), []],
    [undefined, held("Succeeded"), ["add"]],
    [held("Running"), held("Failed"), ["add"]],
    [held("Failed"), held("Failed", []), ["delete"]],
    [held("Failed", []), undefined, []],
    [held("Succeeded"), undefined, ["delete"]],
  ];
  for (const [before, after, events] of rows) {
    const { job: measures, lines } = fresh();
    measures.podChanged(before, after);
    t.strictSame(
      await lines(),
      events.map((event) => `terminated_pods_tracking_finalizer_total{event="${event}"} 1`),
    );
  }
});

test("why pods were created", async (t) => {
  const seen = (spec: object, failed: number, terminating: number) =>
    ({ job: job(spec), failed, terminating }) as JobObservation;
  const rows: [JobObservation, string][] = [
    [seen({}, 0, 0), "new"],
    [seen({}, 1, 0), "recreate_terminating_or_failed"],
    [seen({}, 0, 1), "recreate_terminating_or_failed"],
    [seen({ podReplacementPolicy: "Failed" }, 1, 0), "recreate_failed"],
    [seen({ podReplacementPolicy: "Failed" }, 0, 1), "recreate_terminating_or_failed"],
  ];
  for (const [observation, reason] of rows) {
    const { job: measures, lines } = fresh();
    measures.created(observation, { succeeded: 2, failed: 1 });
    t.strictSame(await lines(), [
      `job_pods_creation_total{reason="${reason}",status="succeeded"} 2`,
      `job_pods_creation_total{reason="${reason}",status="failed"} 1`,
    ]);
  }
});
