// Which OOM scores a host permits.

import { test } from "tap";
import { lowestOomScore } from "./oom-score.js";

test("a score below one's own needs CAP_SYS_RESOURCE", async (t) => {
  t.equal(lowestOomScore({ status: "Name:\tx\nCapEff:\t000001ffffffffff\n", ownScore: "0\n" }), -1000);
  t.equal(lowestOomScore({ status: "Name:\tx\nCapEff:\t000001fffeffffff\n", ownScore: "0\n" }), 0);
  t.equal(lowestOomScore({ status: "", ownScore: "200\n" }), 200);
});
