// Deletes keys whose time is over. What expires when stands in the database, so restarts change nothing.

import type { Clock, Timer } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { isKeyNotFound, isRevisionConflict } from "../errors.js";
import type { Committer } from "./committer.js";
import type { Database } from "./database.js";
import { getCurrent } from "./get.js";
import { parseLeaseKey, rangeOf, sortable } from "./records.js";

const CHUNK = 500;
/** Expiries are gathered: a key may live this much longer than it asked. */
const GATHER_MS = 100;
/** setTimeout's own limit is 2^31 ms. */
const MAX_DELAY_MS = 24 * 60 * 60 * 1000;

export interface Leases {
  /** Call after a write that expires. */
  expiresAt(expiresAtMs: number): void;
  /** Looks for what has expired and sets the timer for the next. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createLeases({
  database,
  committer,
  clock,
  logger,
}: {
  database: Database;
  committer: Committer;
  clock: Clock;
  logger: Logger;
}): Leases {
  let timer: Timer | undefined;
  let dueMs = Number.POSITIVE_INFINITY;
  let sweeping: Promise<void> | undefined;
  let closed = false;

  function schedule(expiresAtMs: number): void {
    if (closed || expiresAtMs >= dueMs) return;
    timer?.cancel();
    dueMs = expiresAtMs;
    const delayMs = Math.min(Math.max(expiresAtMs - clock.now(), 0) + GATHER_MS, MAX_DELAY_MS);
    timer = clock.after(delayMs, () => {
      dueMs = Number.POSITIVE_INFINITY;
      sweeping = sweep().catch((error: unknown) => {
        if (!closed) logger.error("Deleting expired keys failed", { err: error });
      });
    });
  }

  async function expire(key: string): Promise<void> {
    const state = getCurrent(database, key);
    if (!state?.expiresAtMs || state.expiresAtMs > clock.now()) return;
    try {
      await committer.commit({ kind: "delete", key, expectedRevision: state.modRevision });
    } catch (error) {
      // Somebody wrote the key in between: its new state has its own expiry.
      if (!isKeyNotFound(error) && !isRevisionConflict(error)) throw error;
    }
  }

  async function sweep(): Promise<void> {
    while (!closed && committer.fault() === undefined) {
      const range = { gte: rangeOf("lease").gte, lt: `lease/${sortable(clock.now() + 1)}`, limit: CHUNK };
      const expired = await database.keys(range).all();
      await Promise.all(expired.map((stored) => expire(parseLeaseKey(stored).key)));
      if (expired.length < CHUNK) break;
    }
    const [next] = await database.keys({ ...rangeOf("lease"), limit: 1 }).all();
    if (next !== undefined) schedule(parseLeaseKey(next).expiresAtMs);
  }

  return {
    expiresAt: schedule,
    start: sweep,
    async close() {
      closed = true;
      timer?.cancel();
      await sweeping;
    },
  };
}
