// The loop that runs a controller: its watches fill one queue, N workers empty it, failures come back with back-off.

import { setMaxListeners } from "node:events";
import { isConflict, isNotFound } from "@picokube/api/errors";
import { type Clock, realClock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Controller } from "./controller.js";
import { isConnectionLost } from "./retry.js";
import { WorkQueue, type WorkQueueOptions } from "./workqueue.js";

export interface RunControllerOptions {
  readonly workers: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly metrics?: WorkQueueOptions["metrics"];
}

const syncPollMs = 50;
const fewFailures = 8;

/** Runs until the signal aborts and the reconciles under way have ended. The informers are run by others. */
export async function runController(controller: Controller, options: RunControllerOptions): Promise<void> {
  const { workers, clock, signal, metrics } = options;
  const logger = options.logger.with({ controller: controller.name });
  // Every sleep and every request listens for the end: that many listeners are no leak.
  setMaxListeners(0, signal);
  const queue = new WorkQueue({ clock, metrics });
  const removeHandlers = controller.watches.map(({ informer, handler }) =>
    informer.addHandler(handler((key, delayMs = 0) => queue.addAfter(key, delayMs))),
  );
  const stop = () => queue.shutDown();
  signal.addEventListener("abort", stop, { once: true });
  try {
    while (!controller.watches.every(({ informer }) => informer.hasSynced()))
      await realClock().sleep(syncPollMs, signal);
    logger.v(2).info("Starting controller", { workers });
    const loops = Array.from({ length: workers }, () => work({ controller, queue, logger, signal }));
    const beside = controller.run?.(signal);
    await Promise.all([...loops, ...(beside ? [beside] : [])]);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    queue.shutDown();
    signal.removeEventListener("abort", stop);
    for (const remove of removeHandlers) remove();
  }
}

async function work({
  controller,
  queue,
  logger,
  signal,
}: {
  controller: Controller;
  queue: WorkQueue;
  logger: Logger;
  signal: AbortSignal;
}): Promise<void> {
  for (;;) {
    const key = await queue.get();
    if (key === undefined || signal.aborted) return;
    try {
      const result = await controller.reconcile(key, signal);
      queue.forget(key);
      if (result) queue.addAfter(key, result.requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      queue.addRateLimited(key);
      // A lost race, or a server that is away: the next try settles it, nobody needs to act.
      const usual =
        queue.failures(key) < fewFailures && (isConflict(error) || isNotFound(error) || isConnectionLost(error));
      const stack = error instanceof TypeError || error instanceof RangeError ? error.stack : undefined;
      const fields = { key, err: error, stack, failures: queue.failures(key) };
      if (usual) logger.v(2).info("Reconcile will be tried again", fields);
      else logger.error("Reconcile failed", fields);
    } finally {
      queue.done(key);
    }
  }
}
