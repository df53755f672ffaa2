// What the annotation says, sync after sync.

import { pod, service } from "@picokube/testing/builders";
import { test } from "tap";
import { createTriggerTimes, withTriggerTime } from "./trigger-times.js";

const at = (seconds: number) => `2026-01-01T00:00:${String(seconds).padStart(2, "0")}Z`;
const web = service("web", { metadata: { creationTimestamp: at(0) } });
const readyAt = (name: string, seconds: number) =>
  pod(name, { status: { conditions: [{ type: "Ready", status: "True", lastTransitionTime: at(seconds) }] } });

test("the earliest change since the last sync, a new Service's creation, nothing when nothing changed", async (t) => {
  const times = createTriggerTimes();
  const of = (...pods: ReturnType<typeof readyAt>[]) => times.of("default/web", web, pods);
  t.equal(of(readyAt("a", 3)), at(0), "a Service seen for the first time: its creation");
  t.equal(of(readyAt("a", 3)), undefined, "nothing new");
  t.equal(of(readyAt("a", 3), readyAt("b", 9), readyAt("c", 7)), at(7), "the earliest of two");
  t.equal(of(readyAt("b", 9), readyAt("c", 7)), undefined, "a pod that went has no time");
  t.equal(of(readyAt("a", 3)), at(3), "one that comes back is new again");
  t.equal(times.of("default/web", service("web", { metadata: { creationTimestamp: at(20) } }), []), at(20));
  times.forget("default/web");
  t.equal(of(), at(0));
  t.equal(
    times.of("default/other", web, [pod("a")]),
    at(0),
    "Services are apart; a pod without the condition has no time",
  );
});

test("the annotation is set anew or taken away, others stay", async (t) => {
  const name = "endpoints.kubernetes.io/last-change-trigger-time";
  t.strictSame(withTriggerTime({ a: "b", [name]: at(1) }, at(2)), { a: "b", [name]: at(2) });
  t.strictSame(withTriggerTime({ a: "b", [name]: at(1) }, undefined), { a: "b" });
});
