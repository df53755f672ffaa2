// Lists a prefix as of one revision. Reads in chunks, so that the event loop is never held for long.

import type { ListResult } from "../store.js";
import { type Database, type DatabaseSnapshot, READ_AHEAD_BYTES, readRevisions } from "./database.js";
import { checkRevision } from "./get.js";
import { walkPast } from "./list-past.js";
import { decodeState, keyOfData, rangeOf, type StoredValue } from "./records.js";

const CHUNK = 1000;

interface Page {
  items: StoredValue[];
  continueKey: string | undefined;
  remaining: number;
}

async function countKeys(database: Database, snapshot: DatabaseSnapshot, range: object): Promise<number> {
  const iterator = database.keys({ ...range, snapshot, highWaterMarkBytes: READ_AHEAD_BYTES });
  let count = 0;
  try {
    for (;;) {
      const keys = await iterator.nextv(CHUNK);
      if (keys.length === 0) return count;
      count += keys.length;
    }
  } finally {
    await iterator.close();
  }
}

/** What the snapshot holds now: the fast path. */
async function listPresent(
  database: Database,
  snapshot: DatabaseSnapshot,
  prefix: string,
  { limit, from }: { limit: number; from: string },
): Promise<Page> {
  const items: StoredValue[] = [];
  const range = rangeOf("data", prefix, from);
  const iterator = database.iterator({ ...range, snapshot, highWaterMarkBytes: READ_AHEAD_BYTES });
  try {
    for (;;) {
      const entries = await iterator.nextv(Math.min(CHUNK, limit - items.length));
      if (entries.length === 0) return { items, continueKey: undefined, remaining: 0 };
      for (const [stored, bytes] of entries) items.push(decodeState(keyOfData(stored), bytes));
      if (items.length >= limit) break;
    }
    const next = await iterator.next();
    if (next === undefined) return { items, continueKey: undefined, remaining: 0 };
    const continueKey = keyOfData(next[0]);
    const rest = rangeOf("data", prefix, continueKey);
    return { items, continueKey, remaining: await countKeys(database, snapshot, rest) };
  } finally {
    await iterator.close();
  }
}

/** What stood at an older revision. */
async function listPast(
  database: Database,
  snapshot: DatabaseSnapshot,
  prefix: string,
  { limit, from, revision }: { limit: number; from: string; revision: number },
): Promise<Page> {
  const items: StoredValue[] = [];
  let continueKey: string | undefined;
  let remaining = 0;
  for await (const state of walkPast(database, snapshot, prefix, { from, revision })) {
    if (items.length < limit) {
      items.push(state);
    } else {
      continueKey ??= state.key;
      remaining++;
    }
  }
  return { items, continueKey, remaining };
}

/** Store.list. */
export async function list(
  database: Database,
  prefix: string,
  options: { revision?: number; limit?: number; continueKey?: string } = {},
): Promise<ListResult> {
  const limit = options.limit && options.limit > 0 ? options.limit : Number.POSITIVE_INFINITY;
  const from = options.continueKey ?? prefix;
  const snapshot = database.snapshot();
  try {
    const present = readRevisions(database, snapshot).revision;
    const revision = options.revision ?? present;
    checkRevision(database, snapshot, revision);
    const page =
      revision === present
        ? await listPresent(database, snapshot, prefix, { limit, from })
        : await listPast(database, snapshot, prefix, { limit, from, revision });
    return { ...page, revision };
  } finally {
    await snapshot.close();
  }
}
