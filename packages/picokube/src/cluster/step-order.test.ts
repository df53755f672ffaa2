// In which order clusters look for ports and ranges.

import { test } from "tap";
import { defaultDataDir } from "./cluster.js";
import { stepsOf } from "./step-order.js";

const nobodys = () => false;

test("the first cluster begins at the beginning, further ones apart and each at its own place again", (t) => {
  t.strictSame(stepsOf(defaultDataDir, 4, nobodys), [0, 1, 2, 3]);
  const dirs = Array.from({ length: 100 }, (_, i) => `/data/cluster-${i}`);
  const orders = dirs.map((dir) => stepsOf(dir, 256, nobodys));
  for (const order of orders) t.equal(new Set(order).size, 256, "all of them, each once");
  t.ok(new Set(orders.map(([first]) => first)).size > 50, "seldom at one place");
  t.strictSame(
    dirs.map((dir) => stepsOf(dir, 256, nobodys)),
    orders,
  );
  t.end();
});

test("what is another's comes last", (t) => {
  t.strictSame(
    stepsOf(defaultDataDir, 5, (step) => step < 2),
    [2, 3, 4, 0, 1],
  );
  t.end();
});
