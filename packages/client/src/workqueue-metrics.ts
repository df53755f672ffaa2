// What workqueues tell of themselves, under upstream's metric names (component-base/metrics/prometheus/workqueue).

import type { Metrics } from "@picokube/component-base/metrics";

/** What can be asked of a queue at any time. */
export interface MeasuredQueue {
  readonly length: number;
  /** How long each key under way has been worked on, in seconds. */
  workingSeconds(): readonly number[];
}

/** Hears what happens in one queue. */
export interface QueueObserver {
  added(): void;
  taken(waitedSeconds: number): void;
  done(workedSeconds: number): void;
  retried(): void;
}

export interface WorkQueueMetrics {
  /** Takes a queue in under its name. */
  observe(name: string, queue: MeasuredQueue): QueueObserver;
}

const SECONDS = Array.from({ length: 12 }, (_, power) => 1e-8 * 10 ** power);

/** Registers them; one for all queues of the process. */
export function createWorkQueueMetrics(metrics: Metrics): WorkQueueMetrics {
  const labels = ["name"] as const;
  const queues = new Map<string, MeasuredQueue>();
  const gauge = (name: string, help: string, measure: (queue: MeasuredQueue) => number) =>
    metrics.gauge<"name">({
      name,
      help,
      labels,
      collect(own) {
        for (const [queue, measured] of queues) own.set({ name: queue }, measure(measured));
      },
    });
  gauge("workqueue_depth", "Current depth of workqueue", ({ length }) => length);
  gauge(
    "workqueue_unfinished_work_seconds",
    "How many seconds of work has done that is in progress and hasn't been observed by work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads by observing the rate at which this increases.",
    (queue) => queue.workingSeconds().reduce((sum, seconds) => sum + seconds, 0),
  );
  gauge(
    "workqueue_longest_running_processor_seconds",
    "How many seconds has the longest running processor for workqueue been running.",
    (queue) => Math.max(0, ...queue.workingSeconds()),
  );
  const adds = metrics.counter({
    name: "workqueue_adds_total",
    help: "Total number of adds handled by workqueue",
    labels,
  });
  const retries = metrics.counter({
    name: "workqueue_retries_total",
    help: "Total number of retries handled by workqueue",
    labels,
  });
  const waits = metrics.histogram({
    name: "workqueue_queue_duration_seconds",
    help: "How long in seconds an item stays in workqueue before being requested.",
    labels,
    buckets: SECONDS,
  });
  const works = metrics.histogram({
    name: "workqueue_work_duration_seconds",
    help: "How long in seconds processing an item from workqueue takes.",
    labels,
    buckets: SECONDS,
  });
  return {
    observe(name, queue) {
      queues.set(name, queue);
      return {
        added: () => adds.inc({ name }),
        taken: (seconds) => waits.observe({ name }, seconds),
        done: (seconds) => works.observe({ name }, seconds),
        retried: () => retries.inc({ name }),
      };
    },
  };
}
