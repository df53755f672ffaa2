// Counters and histograms for each datagram: a series is found once and then is a few numbers. prom-client looks its series
// up by labels at every step, which cost as much as answering; it still keeps the registry and writes the text.

import type { Metrics } from "@picokube/component-base/metrics";

export type Labels = Readonly<Record<string, string>>;

interface Value {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

interface FamilyOptions {
  readonly name: string;
  readonly help: string;
}

export interface CounterSeries {
  inc(): void;
}

export interface HistogramSeries {
  observe(value: number): void;
}

/** A counter whose series are asked for once each. */
export function counterFamily(metrics: Metrics, options: FamilyOptions): (labels: Labels) => CounterSeries {
  const all: { labels: Labels; count: number }[] = [];
  register(metrics, { ...options, type: "counter" }, () => all.map(({ labels, count }) => ({ labels, value: count })));
  return (labels) => {
    const one = { labels, count: 0 };
    all.push(one);
    return { inc: () => void one.count++ };
  };
}

/** As counterFamily. Buckets are upper bounds, in order, without the infinite one. */
export function histogramFamily(
  metrics: Metrics,
  { buckets, ...options }: FamilyOptions & { readonly buckets: readonly number[] },
): (labels: Labels) => HistogramSeries {
  const all: { labels: Labels; counts: Float64Array; sum: number }[] = [];
  register(metrics, { ...options, type: "histogram" }, () =>
    all.flatMap(({ labels, counts, sum }) => {
      let below = 0;
      const lines: Value[] = [...buckets, "+Inf"].map((bound, i) => {
        below += counts[i]!;
        return { labels: { ...labels, le: String(bound) }, value: below, metricName: `${options.name}_bucket` };
      });
      lines.push({ labels, value: sum, metricName: `${options.name}_sum` });
      lines.push({ labels, value: below, metricName: `${options.name}_count` });
      return lines;
    }),
  );
  return (labels) => {
    const one = { labels, counts: new Float64Array(buckets.length + 1), sum: 0 };
    all.push(one);
    return {
      observe(value) {
        let bucket = 0;
        while (bucket < buckets.length && value > buckets[bucket]!) bucket++;
        one.counts[bucket]!++;
        one.sum += value;
      },
    };
  };
}

// All that a registry asks of what it holds.
function register(metrics: Metrics, family: FamilyOptions & { type: string }, values: () => Value[]): void {
  const metric = {
    ...family,
    aggregator: "sum",
    get: async () => ({ ...family, aggregator: "sum", values: values() }),
  };
  metrics.registry.registerMetric(metric as never);
}
