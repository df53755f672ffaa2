// Counting, combining and dropping of events.

import type { Event } from "@picokube/api/core/v1";
import { realClock } from "@picokube/component-base/clock";
import { test } from "tap";
import { EventCorrelator } from "./event-correlator.js";

let serial = 0;
function event(message: string, name = "web"): Event {
  serial += 1;
  return {
    metadata: { name: `${name}.${serial}`, namespace: "default" },
    involvedObject: { kind: "Pod", name, uid: name },
    source: { component: "kubelet" },
    type: "Warning",
    reason: "BackOff",
    message,
    count: 1,
    firstTimestamp: "2026-01-01T00:00:00Z",
  } as unknown as Event;
}

test("the same words again are counted on the first event", async (t) => {
  const correlator = new EventCorrelator({ clock: realClock() });
  const first = correlator.correlate(event("a"))!;
  t.equal(first.write, "create");
  const second = correlator.correlate(event("a"))!;
  t.match(second, { write: "count", event: { count: 2, metadata: { name: first.event.metadata.name } } });
});

test("the tenth similar event within ten minutes is combined", async (t) => {
  const correlator = new EventCorrelator({ clock: realClock() });
  for (let i = 1; i < 10; i++) t.match(correlator.correlate(event(`m${i}`)), { write: "create" });
  t.match(correlator.correlate(event("m10")), {
    write: "create",
    event: { message: "(combined from similar events): m10" },
  });
  t.match(correlator.correlate(event("m11")), { write: "count", event: { count: 2 } });
});

test("an object that floods is silenced, others are not", async (t) => {
  const correlator = new EventCorrelator({ clock: { ...realClock(), now: () => 0 } });
  for (let i = 0; i < 25; i++) t.ok(correlator.correlate(event("x")));
  t.equal(correlator.correlate(event("x")), undefined);
  t.ok(correlator.correlate(event("x", "other")));
});
