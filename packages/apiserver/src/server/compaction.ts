// Compacts the store's history: at each interval everything before the last but one (upstream: etcd3/compact.go), so
// that a revision stays readable for at least one interval.

import type { Clock, Timer } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";

/** Starts; returns what stops it. An interval of 0 never compacts. */
export function startCompaction({
  store,
  intervalMs,
  clock,
  logger,
}: {
  store: Store;
  intervalMs: number;
  clock: Clock;
  logger: Logger;
}): () => void {
  if (intervalMs <= 0) return () => {};
  let timer: Timer;
  let stopped = false;
  let lastRevision = 0;
  async function compact(): Promise<void> {
    try {
      const { revision } = await store.status();
      if (lastRevision > 0) await store.compact(lastRevision);
      lastRevision = revision;
    } catch (error) {
      if (!stopped) logger.warn("compaction failed; it is tried again after the interval", { err: error });
    }
    if (!stopped) schedule();
  }
  function schedule(): void {
    timer = clock.after(intervalMs, () => void compact());
  }
  schedule();
  return () => {
    stopped = true;
    timer.cancel();
  };
}
