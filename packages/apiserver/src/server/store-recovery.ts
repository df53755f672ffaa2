// Brings an apiserver back to writing after its disk was full or read-only: reads go on meanwhile, and once the disk takes
// writes again the process is to end, because what LevelDB holds is only certain when it is opened anew.

import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";

const PERIOD_MS = 1_000;

/** Resolves to true when the store should be opened anew, to false when the signal aborts first. */
export async function untilRecoverable(
  { store, clock, logger }: { store: Store; clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    if (await store.recoverable()) {
      logger.warn("The disk takes writes again; ending so that the store is opened anew");
      return true;
    }
    await clock.sleep(PERIOD_MS, signal).catch(() => undefined);
  }
  return false;
}
