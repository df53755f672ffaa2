// Reads one key, now or as of a kept revision.

import { compacted, futureRevision } from "../errors.js";
import { type Database, type DatabaseSnapshot, readRevisions } from "./database.js";
import { dataKey, decodeLog, decodeState, historyKey, logKey, parseHistoryKey, type StoredValue } from "./records.js";

/** The key's present state. */
export function getCurrent(database: Database, key: string, snapshot?: DatabaseSnapshot): StoredValue | undefined {
  const bytes = database.getSync(dataKey(key), snapshot ? { snapshot } : {});
  return bytes && decodeState(key, bytes);
}

/** The first event of the key above the revision. */
async function nextEventRevision(
  database: Database,
  snapshot: DatabaseSnapshot,
  key: string,
  revision: number,
): Promise<number | undefined> {
  const range = { gt: historyKey(key, revision), lte: historyKey(key, 2 ** 48 - 1), limit: 1, snapshot };
  const [found] = await database.keys(range).all();
  return found === undefined ? undefined : parseHistoryKey(found).revision;
}

/** The state that the log's event replaced. */
export function replacedBy(
  database: Database,
  snapshot: DatabaseSnapshot,
  eventRevision: number,
): StoredValue | undefined {
  const bytes = database.getSync(logKey(eventRevision), { snapshot });
  return bytes && decodeLog(bytes).previous;
}

/** The key's state as of a revision that the snapshot still keeps. */
export async function stateAt(
  database: Database,
  snapshot: DatabaseSnapshot,
  key: string,
  revision: number,
): Promise<StoredValue | undefined> {
  const current = getCurrent(database, key, snapshot);
  if (current && current.modRevision <= revision) return current;
  const eventRevision = await nextEventRevision(database, snapshot, key, revision);
  return eventRevision === undefined ? undefined : replacedBy(database, snapshot, eventRevision);
}

/** Throws Compacted or FutureRevision when the snapshot cannot show that revision. */
export function checkRevision(database: Database, snapshot: DatabaseSnapshot, revision: number): void {
  const kept = readRevisions(database, snapshot);
  if (revision > kept.revision) throw futureRevision(kept.revision);
  if (revision < kept.compactRevision) throw compacted(kept.compactRevision);
}

/** Store.get for a given revision. */
export async function getAt(database: Database, key: string, revision: number): Promise<StoredValue | undefined> {
  const snapshot = database.snapshot();
  try {
    checkRevision(database, snapshot, revision);
    return await stateAt(database, snapshot, key, revision);
  } finally {
    await snapshot.close();
  }
}
