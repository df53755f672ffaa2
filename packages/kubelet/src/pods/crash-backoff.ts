// CrashLoopBackOff: 10 s, doubling to 5 min, forgotten after a run of 10 min. Upstream's flowcontrol.Backoff with the
// time of the container's end as the event. Never sleeps.

import type { Clock } from "@picokube/component-base/clock";

const initialMs = 10_000;
const maxMs = 300_000;
const forgetAfterMs = 2 * maxMs;

export interface CrashBackoff {
  /** How long to wait still, given when the last run ended: 0 is to start now. Upstream's IsInBackOffSince. */
  look(key: string, finishedAtMs: number): { waitMs: number; backoffMs: number };
  /** A start is tried: the next one must wait longer. Upstream's Next. */
  count(key: string, finishedAtMs: number): void;
  forget(prefix: string): void;
}

/** Makes the back-off of all containers of a kubelet; keys begin with the pod's uid. */
export function createCrashBackoff(clock: Clock): CrashBackoff {
  const entries = new Map<string, { backoffMs: number; updatedAtMs: number }>();
  /** Undefined when there was none, or it is long ago. */
  const freshEntry = (key: string, finishedAtMs: number) => {
    const entry = entries.get(key);
    return entry && finishedAtMs - entry.updatedAtMs <= forgetAfterMs ? entry : undefined;
  };
  return {
    look(key, finishedAtMs) {
      const entry = freshEntry(key, finishedAtMs);
      if (!entry) return { waitMs: 0, backoffMs: 0 };
      return { waitMs: Math.max(0, finishedAtMs + entry.backoffMs - clock.now()), backoffMs: entry.backoffMs };
    },
    count(key, finishedAtMs) {
      const entry = freshEntry(key, finishedAtMs);
      const backoffMs = entry ? Math.min(maxMs, entry.backoffMs * 2) : initialMs;
      entries.set(key, { backoffMs, updatedAtMs: clock.now() });
    },
    forget(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
