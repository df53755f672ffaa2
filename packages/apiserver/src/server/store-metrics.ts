// What the store's synced writes cost, as metrics. Judges nothing.

import type { Metrics } from "@picokube/component-base/metrics";

const SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5];

/** The observer that the store calls after each synced write; upstream's place for these figures is etcd's own metrics. */
export function createStoreMetrics(metrics: Metrics): (commit: { writes: number; durationMs: number }) => void {
  const writes = metrics.counter({
    name: "picokube_store_writes_total",
    help: "Counter of writes that have reached the disk.",
  });
  const duration = metrics.histogram({
    name: "picokube_store_commit_duration_seconds",
    help: "Time that one synced batch of writes took to reach the disk.",
    buckets: SECONDS,
  });
  return (commit) => {
    writes.inc(commit.writes);
    duration.observe(commit.durationMs / 1000);
  };
}
