// Rounds of observations: what is met, what waits for its grace period, which conditions linger.

import { Quantity } from "@picokube/api/quantity";
import { test } from "tap";
import type { Observations, Signal } from "./signals.js";
import { judgeThresholds, noThresholdsMet, type ThresholdState, thresholdsMet } from "./threshold-state.js";
import { parseThresholds } from "./thresholds.js";

const seen = (available: Partial<Record<Signal, string>>): Observations =>
  new Map(
    Object.entries(available).map(([signal, text]) => [
      signal as Signal,
      { available: Quantity.parse(text), capacity: Quantity.parse("10Gi") },
    ]),
  );
const thresholds = parseThresholds({
  evictionHard: { "nodefs.available": "10%", "memory.available": "1Gi" },
  evictionSoft: { "memory.available": "2Gi" },
  evictionSoftGracePeriod: { "memory.available": "60s" },
  evictionMinimumReclaim: { "nodefs.available": "1Gi" },
  enforcesPods: false,
});

/** Rounds at these seconds; each resolves to what must be reclaimed and which conditions the node has. */
function rounds(steps: readonly [seconds: number, available: Partial<Record<Signal, string>>][]) {
  let state: ThresholdState = noThresholdsMet;
  return steps.map(([seconds, available]) => {
    const round = judgeThresholds(thresholds, {
      observations: seen(available),
      state,
      transitionPeriodMs: 300_000,
      nowMs: seconds * 1000,
    });
    state = round.state;
    return {
      reclaim: round.toReclaim.map(({ signal, gracePeriodMs }) => `${signal}/${gracePeriodMs / 1000}`),
      conditions: round.conditions,
    };
  });
}

test("a hard threshold acts at once, and its condition stays for the transition period", async (t) => {
  t.same(
    rounds([
      [0, { "memory.available": "5Gi", "nodefs.available": "5Gi" }],
      [10, { "memory.available": "1Gi", "nodefs.available": "5Gi" }],
      [20, { "memory.available": "1023Mi", "nodefs.available": "5Gi" }],
      [30, { "memory.available": "5Gi", "nodefs.available": "5Gi" }],
      [319, { "memory.available": "5Gi", "nodefs.available": "5Gi" }],
      [320, { "memory.available": "5Gi", "nodefs.available": "5Gi" }],
    ]),
    [
      { reclaim: [], conditions: [] },
      { reclaim: [], conditions: ["MemoryPressure"] },
      { reclaim: ["memory.available/0"], conditions: ["MemoryPressure"] },
      { reclaim: [], conditions: ["MemoryPressure"] },
      { reclaim: [], conditions: ["MemoryPressure"] },
      { reclaim: [], conditions: [] },
    ],
  );
});

test("a soft threshold must hold for its grace period without a break", async (t) => {
  const low = { "memory.available": "1500Mi" };
  const high = { "memory.available": "3Gi" };
  const reclaims = rounds([
    [0, low],
    [59, low],
    [60, low],
    [70, high],
    [80, low],
    [139, low],
    [140, low],
  ]).map(({ reclaim }) => reclaim);
  const soft = ["memory.available/60"];
  t.same(reclaims, [[], [], soft, [], [], [], soft]);
});

test("what was met is resolved only with its minimum reclaim, and memory comes first", async (t) => {
  const reclaims = rounds([
    [0, { "nodefs.available": "1000Mi", "memory.available": "5Gi" }],
    [10, { "nodefs.available": "1500Mi", "memory.available": "512Mi" }],
    [20, { "nodefs.available": "2049Mi", "memory.available": "5Gi" }],
    [30, { "nodefs.available": "1500Mi", "memory.available": "5Gi" }],
  ]).map(({ reclaim }) => reclaim);
  t.same(reclaims, [["nodefs.available/0"], ["memory.available/0", "nodefs.available/0"], [], []]);
});

test("a signal nobody observed meets nothing", async (t) => {
  t.same(thresholdsMet(thresholds, seen({ "pid.available": "0" }), { withReclaim: true }), []);
});
