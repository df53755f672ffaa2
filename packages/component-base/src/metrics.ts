// Prometheus metrics of one process. Each component makes its own; nothing is registered at import.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { version } from "./version.js";

export interface MetricOptions<Label extends string> {
  name: string;
  help: string;
  labels?: readonly Label[];
}

export interface Metrics {
  readonly registry: Registry;
  readonly contentType: string;
  /** collect: called at each render, for what somebody else counts. */
  counter<Label extends string = never>(
    options: MetricOptions<Label> & { collect?: (counter: Counter<Label>) => Promise<void> },
  ): Counter<Label>;
  gauge<Label extends string = never>(
    options: MetricOptions<Label> & { collect?: (gauge: Gauge<Label>) => void },
  ): Gauge<Label>;
  histogram<Label extends string = never>(options: MetricOptions<Label> & { buckets?: number[] }): Histogram<Label>;
  /** All metrics in the text format. */
  render(): Promise<string>;
}

/** A registry that already holds the process's and the runtime's own metrics, unless it is one of several in a process. */
export function createMetrics({ withProcess = true } = {}): Metrics {
  const registry = new Registry();
  if (withProcess) collectDefaultMetrics({ register: registry });
  const registers = [registry];
  buildInfo(registers);
  return {
    registry,
    contentType: registry.contentType,
    counter: ({ name, help, labels = [], collect }) =>
      new Counter({ name, help, labelNames: [...labels], registers, ...collectedBy(collect) }),
    gauge: ({ name, help, labels = [], collect }) =>
      new Gauge({ name, help, labelNames: [...labels], registers, ...collectedBy(collect) }),
    histogram: ({ name, help, labels = [], buckets }) =>
      new Histogram({ name, help, labelNames: [...labels], registers, ...(buckets ? { buckets } : {}) }),
    render: () => registry.metrics(),
  };
}

/** prom-client gives the metric as this. */
function collectedBy<Metric>(collect?: (metric: Metric) => Promise<void> | void) {
  return collect
    ? {
        collect(this: Metric) {
          return collect(this);
        },
      }
    : {};
}

/** count upper bounds, each so many times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, power) => start * factor ** power);
}

// What every component of upstream tells of itself (component-base/metrics/version.go).
function buildInfo(registers: Registry[]): void {
  const { gitVersion, gitCommit, gitTreeState, buildDate, goVersion, compiler, platform, major, minor } = version;
  const labels = {
    build_date: buildDate,
    compiler,
    git_commit: gitCommit,
    git_tree_state: gitTreeState,
    git_version: gitVersion,
    go_version: goVersion,
    major,
    minor,
    platform,
  };
  new Gauge({
    name: "kubernetes_build_info",
    help: "A metric with a constant '1' value labeled by major, minor, git version, git commit, git tree state, build date, Go version, and compiler from which Kubernetes was built, and platform on which it is running.",
    labelNames: Object.keys(labels),
    registers,
  }).set(labels, 1);
}
