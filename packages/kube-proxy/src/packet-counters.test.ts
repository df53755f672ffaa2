import { test } from "tap";
import { parseCounters } from "./packet-counters.js";

test("F1 nfacct's list is read, quotas and others' counters too", (t) => {
  const text = [
    "{ pkts = 00000000000000000012, bytes = 00000000000000000720 } = ct_state_invalid_dropped_pkts;",
    "{ pkts = 00000000000000000003, bytes = 00000000000000000180, quota = 00000000000000010000, mode = packets, overquota = 0 } = others;",
    "",
  ].join("\n");
  t.strictSame(Object.fromEntries(parseCounters(text)), { ct_state_invalid_dropped_pkts: 12, others: 3 });
  t.equal(parseCounters("").size, 0);
  t.end();
});
