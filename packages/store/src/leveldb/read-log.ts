// Reads events back from the log, for watches that the ring no longer covers. One bounded chunk at a time.

import type { StoreEvent } from "../store.js";
import { type Database, type DatabaseSnapshot, READ_AHEAD_BYTES, readRevisions } from "./database.js";
import { stateAt } from "./get.js";
import { decodeLog, logKey, revisionOfLog } from "./records.js";

const CHUNK = 256;

export interface Replay {
  /** Of the prefix, in order. */
  events: StoreEvent[];
  /** All events up to here have been looked at. */
  revision: number;
  compactRevision: number;
}

async function eventOf(
  database: Database,
  snapshot: DatabaseSnapshot,
  revision: number,
  { type, key, previous }: ReturnType<typeof decodeLog>,
): Promise<StoreEvent> {
  const current = type === "delete" ? previous : await stateAt(database, snapshot, key, revision);
  if (!current) throw new Error(`the log has no state of ${key} at revision ${revision}`);
  return { type, key, revision, current, previous };
}

/** The next chunk of events above one revision and up to another. */
export async function readLog(
  database: Database,
  prefix: string,
  { above, upTo }: { above: number; upTo: number },
): Promise<Replay> {
  const snapshot = database.snapshot();
  try {
    const { compactRevision } = readRevisions(database, snapshot);
    if (above < compactRevision) return { events: [], revision: above, compactRevision };
    const iterator = database.iterator({
      gt: logKey(above),
      lte: logKey(upTo),
      snapshot,
      highWaterMarkBytes: READ_AHEAD_BYTES,
    });
    const events: StoreEvent[] = [];
    let revision = upTo;
    try {
      const entries = await iterator.nextv(CHUNK);
      for (const [stored, bytes] of entries) {
        revision = revisionOfLog(stored);
        const record = decodeLog(bytes);
        if (record.key.startsWith(prefix)) events.push(await eventOf(database, snapshot, revision, record));
      }
    } finally {
      await iterator.close();
    }
    return { events, revision, compactRevision };
  } finally {
    await snapshot.close();
  }
}
