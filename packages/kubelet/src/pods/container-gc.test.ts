// Which dead containers may go when their disk is needed.

import { test } from "tap";
import { unusedContainers } from "./container-gc.js";
import { testContainer } from "./observed.js";

test("all of pods at their end, old attempts of living ones", async (t) => {
  const of = (podUid: string, state: "running" | "exited", attempt: number) => ({
    ...testContainer({ state, attempt }),
    podUid,
    id: `${podUid}-${attempt}`,
  });
  const containers = [
    of("ended", "exited", 1),
    of("living", "exited", 0),
    of("living", "exited", 1),
    of("crashing", "exited", 3),
    of("crashing", "exited", 2),
    of("living", "running", 2),
  ];
  t.same(unusedContainers(containers, (uid) => uid !== "ended").sort(), [
    "crashing-2",
    "ended-1",
    "living-0",
    "living-1",
  ]);
});
