// Waiting in tests: for a state to be reached, never for time to pass.

import { setTimeout as sleep } from "node:timers/promises";

const periodMs = 50;
const longestPauseMs = 1_000;

/** Looks until look finds something truthy and does not throw. Rejects after timeoutMs with the words and the last throw; a
 *  look that is under way then may take as long again. */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | null | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const lookedAtMs = Date.now();
    let cause: unknown;
    try {
      const found = await within(deadline + timeoutMs - Date.now(), look());
      if (found) return found;
    } catch (error) {
      cause = error;
    }
    if (Date.now() > deadline) {
      const last = cause === undefined ? "" : `: ${(cause as Error).message}`;
      throw new Error(`${what}: not within ${timeoutMs / 1000} s${last}`, { cause });
    }
    // What is waited for gets as much of the machine as the look.
    await sleep(Math.min(Math.max(periodMs, Date.now() - lookedAtMs), longestPauseMs));
  }
}

async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error("the last look did not end");
  });
  return Promise.race([work, late]).finally(() => done.abort());
}
