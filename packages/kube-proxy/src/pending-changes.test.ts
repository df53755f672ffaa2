import { test } from "tap";
import { createPendingChanges } from "./pending-changes.js";

test("changes wait until they are taken, and again when they are put back", (t) => {
  const pending = createPendingChanges();
  pending.add("default/web", "service");
  pending.add("default/web", "endpoint", 5);
  pending.add("default/web", "endpoint", 7);
  pending.add("default/api", "endpoint");
  t.strictSame([pending.count("endpoint"), pending.count("service")], [2, 1], "Services, not events");

  const taken = pending.take();
  t.strictSame(
    [...taken.services],
    [
      ["default/web", [5, 7]],
      ["default/api", []],
    ],
  );
  t.strictSame([pending.count("endpoint"), pending.count("service")], [0, 0]);

  pending.add("default/web", "endpoint", 9);
  t.equal(pending.count("endpoint"), 1, "what comes during a sync waits for the next");
  taken.putBack();
  t.strictSame([pending.count("endpoint"), pending.count("service")], [2, 1]);
  t.strictSame(pending.take().services.get("default/web"), [5, 7, 9]);
  t.equal(pending.take().services.size, 0);
  t.end();
});
