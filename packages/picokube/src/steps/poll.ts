// Waiting for something to become true, with a deadline and a reason when it does not.

import { realClock } from "@picokube/component-base/clock";

/** Asks every 50 ms until ready returns undefined; after the timeout throws an Error with the last reason. */
export async function poll(what: string, timeoutMs: number, ready: () => Promise<string | undefined>): Promise<void> {
  const clock = realClock();
  const deadline = clock.now() + timeoutMs;
  for (;;) {
    const missing = await ready().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    if (missing === undefined) return;
    if (clock.now() > deadline) throw new Error(`${what} within ${timeoutMs / 1000} s: ${missing}`);
    await clock.sleep(50);
  }
}
