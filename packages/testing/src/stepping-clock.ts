// A clock that tests move by hand. Knows nothing of real time.

import { type Clock, sleepOn } from "@picokube/component-base/clock";

export interface SteppingClock extends Clock {
  /** Moves time on; timers that fall due run in order, and what waited on them gets its turn. */
  advance(durationMs: number): Promise<void>;
  /** How many timers are waiting. */
  pending(): number;
  /** Resolves as soon as this many timers wait: the way to know that a loop has gone to sleep. */
  whenWaiting(count: number): Promise<void>;
}

interface Waiting {
  dueMs: number;
  callback: () => void;
}

/** Starts at startMs (a fixed date in 2026 when left out). */
export function steppingClock(startMs = Date.UTC(2026, 0, 1)): SteppingClock {
  let nowMs = startMs;
  const waiting = new Set<Waiting>();
  const after = (delayMs: number, callback: () => void) => {
    const entry = { dueMs: nowMs + Math.max(0, delayMs), callback };
    waiting.add(entry);
    return { cancel: () => void waiting.delete(entry) };
  };
  return {
    now: () => nowMs,
    after,
    sleep: (delayMs, signal) => sleepOn({ timer: (callback) => after(delayMs, callback), signal }),
    async advance(durationMs) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const next = [...waiting].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!next) break;
        waiting.delete(next);
        nowMs = next.dueMs;
        next.callback();
        await turn();
      }
      nowMs = endMs;
      await turn();
    },
    pending: () => waiting.size,
    async whenWaiting(count) {
      while (waiting.size < count) await turn();
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
