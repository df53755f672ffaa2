// How thresholds are read, and what is said of those that cannot be.

import { Quantity } from "@picokube/api/quantity";
import { test } from "tap";
import { parseThreshold, parseThresholds, type ThresholdConfig, thresholdQuantity } from "./thresholds.js";

const none: ThresholdConfig = {
  evictionHard: {},
  evictionSoft: {},
  evictionSoftGracePeriod: {},
  evictionMinimumReclaim: {},
  enforcesPods: false,
};
const mi = (count: number) => Quantity.parse(`${count}Mi`);

test("hard, soft, reclaim and what follows for pods", async (t) => {
  const parsed = parseThresholds({
    evictionHard: { "memory.available": "150Mi", "nodefs.available": "0%", "imagefs.available": "100%" },
    evictionSoft: { "memory.available": "300Mi" },
    evictionSoftGracePeriod: { "memory.available": "30s" },
    evictionMinimumReclaim: { "memory.available": "10Mi" },
    enforcesPods: true,
  });
  t.same(
    parsed.map(({ signal, gracePeriodMs }) => [signal, gracePeriodMs]),
    [
      ["memory.available", 0],
      ["memory.available", 30_000],
      ["allocatableMemory.available", 0],
    ],
  );
  for (const { minReclaim } of parsed) t.same(minReclaim, { quantity: mi(10) });
});

test("a fraction is of the capacity, in upstream's float32", async (t) => {
  const { value } = parseThreshold("nodefs.available", "10%")!;
  t.equal(thresholdQuantity(value, Quantity.parse("1000")).toString(), "100");
  t.equal(thresholdQuantity(value, Quantity.parse("260000000000")).value(), 26_000_000_387);
  t.equal(thresholdQuantity({ quantity: mi(5) }, mi(1)).toString(), "5Mi");
});

test("what is wrong is said in upstream's words", async (t) => {
  const table: [Partial<ThresholdConfig>, string][] = [
    [{ evictionHard: { "mem.available": "1Mi" } }, "unsupported eviction signal mem.available"],
    [{ evictionHard: { "memory.available": "0" } }, "eviction threshold memory.available must be positive: 0"],
    [{ evictionHard: { "memory.available": "-1Mi" } }, "eviction threshold memory.available must be positive: -1Mi"],
    [
      { evictionHard: { "nodefs.available": "-1%" } },
      "eviction percentage threshold nodefs.available must be >= 0%: -1%",
    ],
    [
      { evictionHard: { "nodefs.available": "101%" } },
      "eviction percentage threshold nodefs.available must be <= 100%: 101%",
    ],
    [{ evictionHard: { "nodefs.available": "x%" } }, 'strconv.ParseFloat: parsing "x": invalid syntax'],
    [
      { evictionSoft: { "pid.available": "100" } },
      "grace period must be specified for the soft eviction threshold pid.available",
    ],
    [
      { evictionSoftGracePeriod: { "pid.available": "-1s" } },
      "invalid eviction grace period specified: -1s, must be a positive value",
    ],
    [
      { evictionMinimumReclaim: { "imagefs.available": "0%" } },
      "eviction percentage minimum reclaim imagefs.available must be positive: 0%",
    ],
    [
      { evictionMinimumReclaim: { "imagefs.available": "-1" } },
      "negative eviction minimum reclaim specified for imagefs.available",
    ],
  ];
  for (const [config, message] of table) t.throws(() => parseThresholds({ ...none, ...config }), { message }, message);
});
