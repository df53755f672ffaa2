// The shape of a controller. The loop that runs it (runController) stands beside it: one queue of keys, N workers,
// rate-limited retries.

import type { EventHandler, Informer, ObjectKey } from "./informer.js";

/** Nothing: done. requeueAfterMs: look again later. Throw: look again after back-off. */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconcile that ends without a return is the usual case
export type Result = { requeueAfterMs: number } | undefined | void;

/** Connects an informer's changes to the queue; whatever says when it has synced can stand for the informer. */
export interface WatchSource {
  // biome-ignore lint/suspicious/noExplicitAny: sources of different kinds stand in one array
  readonly informer: Pick<Informer<any>, "addHandler" | "hasSynced">;
  // biome-ignore lint/suspicious/noExplicitAny: see above
  handler(enqueue: (key: ObjectKey, delayMs?: number) => void): EventHandler<any>;
}

export interface Controller {
  readonly name: string;
  readonly watches: readonly WatchSource[];
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<Result>;
  /** Work beside the queue (a periodic sweep); started with the workers. */
  readonly run?: (signal: AbortSignal) => Promise<void>;
}
