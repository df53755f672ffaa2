// What a queue tells of itself, with a clock that steps.

import { createMetrics } from "@picokube/component-base/metrics";
import { test } from "tap";
import { WorkQueue } from "./workqueue.js";
import { createWorkQueueMetrics } from "./workqueue-metrics.js";

function steppedClock() {
  let nowMs = 0;
  return {
    now: () => nowMs,
    after: () => ({ cancel() {} }),
    sleep: async () => {},
    step(ms: number) {
      nowMs += ms;
    },
  };
}

test("depth, waits, work and retries of a queue under upstream's names", async (t) => {
  const metrics = createMetrics();
  const clock = steppedClock();
  const registry = createWorkQueueMetrics(metrics);
  const queue = new WorkQueue({ clock, metrics: { registry, name: "deployment" } });
  const value = async (series: string) => {
    const line = (await metrics.render()).split("\n").find((each) => each.startsWith(`${series} `));
    return line && Number(line.slice(series.length));
  };
  queue.add("a");
  queue.add("a");
  queue.add("b");
  t.equal(await value('workqueue_depth{name="deployment"}'), 2);
  t.equal(await value('workqueue_adds_total{name="deployment"}'), 2, "one that waits already is not added again");

  clock.step(3000);
  await queue.get();
  t.equal(await value('workqueue_queue_duration_seconds_sum{name="deployment"}'), 3);
  await queue.get();
  t.equal(await value('workqueue_depth{name="deployment"}'), 0);
  clock.step(2000);
  t.equal(await value('workqueue_longest_running_processor_seconds{name="deployment"}'), 2);
  t.equal(await value('workqueue_unfinished_work_seconds{name="deployment"}'), 4);

  queue.addRateLimited("b");
  queue.done("a");
  queue.done("b");
  t.equal(await value('workqueue_work_duration_seconds_sum{name="deployment"}'), 4);
  t.equal(await value('workqueue_work_duration_seconds_count{name="deployment"}'), 2);
  t.equal(await value('workqueue_unfinished_work_seconds{name="deployment"}'), 0);
  t.equal(await value('workqueue_retries_total{name="deployment"}'), 1);

  const other = new WorkQueue({ clock, metrics: { registry, name: "replicaset" } });
  other.add("a");
  t.equal(await value('workqueue_depth{name="replicaset"}'), 1);
  t.equal(await value('workqueue_depth{name="deployment"}'), 0);
});
