// Certificates are issued anew before they expire, while everything runs: the supervisor looks twice a day.

import type { Clock } from "@picokube/component-base/clock";

const PERIOD_MS = 12 * 60 * 60 * 1000;

/** Runs until the signal aborts; a fault is told on standard error and tried again at the next look. */
export async function renewCredentials(renew: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  for (;;) {
    await clock.sleep(PERIOD_MS, signal).catch(() => {});
    if (signal.aborted) return;
    try {
      await renew();
    } catch (error) {
      console.error(`the certificates could not be looked after: ${(error as Error).message}`);
    }
  }
}
