// Where clusters begin to look for ports and ranges.

import { test } from "tap";
import { defaultDataDir } from "./cluster.js";
import { firstStepOf } from "./first-step.js";

test("the first cluster begins at the beginning, further ones apart and each at its own place again", (t) => {
  t.equal(firstStepOf(defaultDataDir, 256), 0);
  const dirs = Array.from({ length: 100 }, (_, i) => `/data/cluster-${i}`);
  const steps = dirs.map((dir) => firstStepOf(dir, 256));
  t.ok(steps.every((step) => step >= 0 && step < 256));
  t.ok(new Set(steps).size > 50, "seldom at one place");
  t.strictSame(
    dirs.map((dir) => firstStepOf(dir, 256)),
    steps,
  );
  t.end();
});
