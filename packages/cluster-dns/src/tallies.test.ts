import { createMetrics } from "@picokube/component-base/metrics";
import { test } from "tap";
import { counterFamily, histogramFamily } from "./tallies.js";

test("tallies are written as prom-client writes its own", async (t) => {
  const buckets = [1, 5, 10];
  const [metrics, reference] = [createMetrics(), createMetrics()];
  const count = counterFamily(metrics, { name: "asked_total", help: "Questions." });
  const sizes = histogramFamily(metrics, { name: "size_bytes", help: "Sizes.", buckets });
  const counter = reference.counter({ name: "asked_total", help: "Questions.", labels: ["zone"] });
  const histogram = reference.histogram({ name: "size_bytes", help: "Sizes.", labels: ["zone"], buckets });
  for (const zone of [".", 'a"b\\c']) {
    const series = { count: count({ zone }), sizes: sizes({ zone }) };
    for (const value of [0, 1, 1.5, 5, 7, 10, 11, 1e9]) {
      series.count.inc();
      series.sizes.observe(value);
      counter.inc({ zone });
      histogram.observe({ zone }, value);
    }
  }
  const text = async (of: typeof metrics) =>
    (await of.render())
      .split("\n")
      .filter((line) => /asked_total|size_bytes/.test(line))
      .sort();
  const [ours, theirs] = [await text(metrics), await text(reference)];
  t.equal(ours.length, 18);
  // Labels of a bucket may stand in any order.
  const sorted = (lines: string[]) =>
    lines.map((line) => line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(",").sort().join()}}`)).sort();
  t.strictSame(sorted(ours), sorted(theirs));
});
