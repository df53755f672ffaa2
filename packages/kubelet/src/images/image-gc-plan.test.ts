// Which images go, in which order, and how much must.

import { test } from "tap";
import {
  bytesToFree,
  type ImageGcPolicy,
  inEvictionOrder,
  isCollectable,
  isTooOld,
  recordImages,
} from "./image-gc-plan.js";

const policy: ImageGcPolicy = { highThresholdPercent: 85, lowThresholdPercent: 80, minAgeMs: 120, maxAgeMs: 1000 };
const image = (id: string, pinned = false) => ({ id, sizeBytes: 1, pinned });

test("the longest unused go first, pinned and used ones not at all", async (t) => {
  const seen = (nowMs: number, inUse: string[], known = new Map()) =>
    recordImages(known, [image("a"), image("b"), image("c"), image("pause", true)], {
      inUse: new Set(inUse),
      detectedMs: nowMs,
      nowMs,
    });
  const first = seen(100, ["a", "b"]);
  const second = seen(200, ["b"], first);
  const order = (nowMs: number, records: typeof first) => inEvictionOrder(records.values(), nowMs).map(({ id }) => id);
  t.same(order(200, second), ["c", "a"]);
  const third = seen(300, [], second);
  t.same(order(300, third), ["c", "a", "b"]);
  t.equal(third.get("c")?.firstDetectedMs, 100);
  const gone = recordImages(third, [image("b")], { inUse: new Set(), detectedMs: 400, nowMs: 400 });
  t.same([...gone.keys()], ["b"]);
});

test("ages", async (t) => {
  const record = { ...image("a"), firstDetectedMs: 100, lastUsedMs: 500 };
  t.equal(isCollectable(record, policy, 219), false);
  t.equal(isCollectable(record, policy, 220), true);
  t.equal(isTooOld(record, policy, { beganMs: 0, nowMs: 1500 }), false);
  t.equal(isTooOld(record, policy, { beganMs: 0, nowMs: 1501 }), true);
  t.equal(isTooOld(record, policy, { beganMs: 600, nowMs: 1501 }), false, "watched for too short a time");
  t.equal(isTooOld(record, { ...policy, maxAgeMs: 0 }, { beganMs: 0, nowMs: 9999 }), false);
});

test("how much must go", async (t) => {
  for (const [availableBytes, wanted] of [
    [200, 0],
    [160, 0],
    [150, 50],
    [151, 49],
    [0, 200],
    [5000, 0],
  ] as const) {
    t.equal(bytesToFree({ capacityBytes: 1000, availableBytes }, policy), wanted, `${availableBytes} available`);
  }
});
