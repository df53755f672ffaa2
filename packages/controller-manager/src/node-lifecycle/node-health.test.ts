import type { Lease } from "@picokube/api/coordination/v1";
import { leases } from "@picokube/api/coordination/v1";
import type { Node, NodeCondition } from "@picokube/api/core/v1";
import { node, object } from "@picokube/testing/builders";
import { test } from "tap";
import { hasReported, observeHealth, unknownConditions } from "./node-health.js";

const nowMs = Date.UTC(2026, 0, 1, 12);
const maxPauseMs = 20_000;

function withReady(condition: Partial<NodeCondition>): Node {
  return node("n", { status: { conditions: [{ type: "Ready", status: "True", ...condition }] } });
}

function lease(renewTime: string): Lease {
  return object(leases, "n", { spec: { renewTime } });
}

test("a sign of life is a new heartbeat or a later renewal", (t) => {
  const first = "2026-01-01T11:00:00Z";
  const look = (
    previous: ReturnType<typeof observeHealth> | undefined,
    heartbeat: string,
    renew: string,
    atMs: number,
  ) =>
    observeHealth({
      previous,
      node: withReady({ lastHeartbeatTime: heartbeat }),
      lease: lease(renew),
      nowMs: atMs,
      maxPauseMs,
    });
  const start = look(undefined, first, "2026-01-01T11:00:00.000000Z", nowMs);
  t.equal(start.seenMs, nowMs, "the first look gives the benefit of the doubt");
  const silent = look(start, first, "2026-01-01T11:00:00.000000Z", nowMs + 5000);
  t.equal(silent.seenMs, nowMs);
  const renewed = look(silent, first, "2026-01-01T11:00:10.000000Z", nowMs + 10_000);
  t.equal(renewed.seenMs, nowMs + 10_000);
  const back = look(renewed, first, "2026-01-01T11:00:05.000000Z", nowMs + 15_000);
  t.equal(back.seenMs, nowMs + 10_000, "a lease that goes back is no sign");
  const beat = look(back, "2026-01-01T11:00:20Z", "2026-01-01T11:00:10.000000Z", nowMs + 20_000);
  t.equal(beat.seenMs, nowMs + 20_000);
  const woke = look(beat, "2026-01-01T11:00:20Z", "2026-01-01T11:00:10.000000Z", nowMs + 600_000);
  t.equal(woke.seenMs, nowMs + 600_000, "a controller that slept blames nobody");
  t.end();
});

test("a Node that never reported is silent since its creation", (t) => {
  const silent = node("n", {
    metadata: { creationTimestamp: "2026-01-01T11:59:00Z" },
    status: { conditions: [] },
  });
  const health = observeHealth({ previous: undefined, node: silent, lease: undefined, nowMs, maxPauseMs });
  t.equal(nowMs - health.seenMs, 60_000);
  t.equal(hasReported(silent), false);
  const conditions = unknownConditions(silent, nowMs);
  t.strictSame(
    conditions.map(({ type, status, reason, message, lastHeartbeatTime }) => [
      type,
      status,
      reason,
      message,
      lastHeartbeatTime,
    ]),
    ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].map((type) => [
      type,
      "Unknown",
      "NodeStatusNeverUpdated",
      "Kubelet never posted node status.",
      "2026-01-01T11:59:00Z",
    ]),
  );
  const marked = node("n", { status: { conditions } });
  t.equal(hasReported(marked), false, "our own word is no report");
  t.strictSame(unknownConditions(marked, nowMs), []);
  t.end();
});

test("a Node that stopped reporting", (t) => {
  const conditions = unknownConditions(withReady({ lastHeartbeatTime: "2026-01-01T11:00:00Z" }), nowMs);
  t.match(conditions[0], {
    type: "Ready",
    status: "Unknown",
    reason: "NodeStatusUnknown",
    message: "Kubelet stopped posting node status.",
    lastHeartbeatTime: "2026-01-01T11:00:00Z",
    lastTransitionTime: "2026-01-01T12:00:00Z",
  });
  t.equal(conditions[1]?.reason, "NodeStatusNeverUpdated");
  t.end();
});
