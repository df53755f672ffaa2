// CrashLoopBackOff: 10 s, doubling to 5 min, forgotten after a run of 10 min. Upstream's flowcontrol.Backoff with the
// time of the container's end as the event. Never sleeps.

import type { Clock } from "@picokube/component-base/clock";

const initialMs = 10_000;
const maxMs = 300_000;
const forgetAfterMs = 2 * maxMs;

export interface CrashBackoff {
  /** How long to wait still, given when the last run ended; 0: start now. Counts the restart when 0. */
  admit(key: string, finishedAtMs: number): { waitMs: number; backoffMs: number };
  forget(prefix: string): void;
}

/** Makes the back-off of all containers of a kubelet; keys begin with the pod's uid. */
export function createCrashBackoff(clock: Clock): CrashBackoff {
  const entries = new Map<string, { backoffMs: number; updatedAtMs: number }>();
  return {
    admit(key, finishedAtMs) {
      const entry = entries.get(key);
      const stale = !entry || finishedAtMs - entry.updatedAtMs > forgetAfterMs;
      if (!stale) {
        const waitMs = finishedAtMs + entry.backoffMs - clock.now();
        if (waitMs > 0) return { waitMs, backoffMs: entry.backoffMs };
      }
      const backoffMs = stale ? initialMs : Math.min(maxMs, entry.backoffMs * 2);
      entries.set(key, { backoffMs, updatedAtMs: clock.now() });
      return { waitMs: 0, backoffMs };
    },
    forget(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
