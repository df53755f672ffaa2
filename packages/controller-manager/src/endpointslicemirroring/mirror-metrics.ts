// What the mirroring controller tells of its work, under upstream's metric names (endpointslicemirroring/metrics).

import type { ObjectKey } from "@picokube/client/informer";
import { exponentialBuckets, type Metrics } from "@picokube/component-base/metrics";
import type { MirrorPlan } from "./mirror-plan.js";

const subsystem = "endpoint_slice_mirroring_controller";

export interface MirrorMetrics {
  planned(key: ObjectKey, plan: MirrorPlan): void;
  changed(operation: "create" | "update" | "delete"): void;
  synced(seconds: number): void;
  /** The Endpoints are mirrored no more. */
  forget(key: ObjectKey): void;
}

/** Registers them; maxPerSubset is what a slice could hold. */
export function createMirrorMetrics(metrics: Metrics, maxPerSubset: number): MirrorMetrics {
  const sizesOf = new Map<ObjectKey, MirrorPlan["sizes"]>();
  const perSync = (name: string, help: string) =>
    metrics.histogram({ name: `${subsystem}_${name}`, help, buckets: exponentialBuckets(2, 2, 15) });
  const total = (name: string, help: string, measure: (size: MirrorPlan["sizes"][number]) => number) =>
    metrics.gauge({
      name: `${subsystem}_${name}`,
      help,
      collect: (gauge) => gauge.set([...sizesOf.values()].flat().reduce((sum, size) => sum + measure(size), 0)),
    });
  const added = perSync("endpoints_added_per_sync", "Number of endpoints added on each Endpoints sync");
  const updated = perSync("endpoints_updated_per_sync", "Number of endpoints updated on each Endpoints sync");
  const removed = perSync("endpoints_removed_per_sync", "Number of endpoints removed on each Endpoints sync");
  const skipped = perSync(
    "addresses_skipped_per_sync",
    "Number of addresses skipped on each Endpoints sync due to being invalid or exceeding MaxEndpointsPerSubset",
  );
  const durations = metrics.histogram({
    name: `${subsystem}_endpoints_sync_duration`,
    help: "Duration of syncEndpoints() in seconds",
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const changes = metrics.counter({
    name: `${subsystem}_changes`,
    help: "Number of EndpointSlice changes",
    labels: ["operation"] as const,
  });
  total("endpoints_desired", "Number of endpoints desired", ({ endpoints }) => endpoints);
  total("num_endpoint_slices", "Number of EndpointSlices", ({ slices }) => slices);
  total(
    "desired_endpoint_slices",
    "Number of EndpointSlices that would exist with perfect endpoint allocation",
    ({ endpoints }) => Math.ceil(endpoints / maxPerSubset),
  );
  return {
    planned(key, plan) {
      added.observe(plan.changes.added);
      updated.observe(plan.changes.updated);
      removed.observe(plan.changes.removed);
      skipped.observe(plan.skipped);
      sizesOf.set(key, plan.sizes);
    },
    changed: (operation) => changes.inc({ operation }),
    synced: (seconds) => durations.observe(seconds),
    forget: (key) => sizesOf.delete(key),
  };
}
