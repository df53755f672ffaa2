// Rates from readings, by a clock that steps.

import { steppingClock } from "@picokube/testing/stepping-clock";
import { test } from "tap";
import { createCpuRates } from "./cpu-rates.js";

test("nanocores from two readings", async (t) => {
  const clock = steppingClock();
  const { nanoCores } = createCpuRates(clock);
  const table: [string, number, number, number | undefined][] = [
    ["one reading is none", 0, 1e9, undefined],
    ["too soon", 500, 2e9, undefined],
    ["half a core for two seconds", 1500, 2e9, 5e8],
    ["too soon again: the rate before", 10, 9e9, 5e8],
    ["idle", 10_000, 2e9, 0],
    ["begun anew", 5_000, 1e6, undefined],
    ["and going on", 1_000, 2e6, 1e6],
    ["forgotten", 700_000, 3e6, undefined],
  ];
  for (const [what, afterMs, usedNanos, expected] of table) {
    await clock.advance(afterMs);
    t.equal(nanoCores("c", usedNanos), expected, what);
  }
  t.equal(nanoCores("d", 1), undefined, "each key its own");
});
