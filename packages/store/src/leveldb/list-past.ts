// Walks a prefix as it stood at an older revision: the present state and the history of its keys, merged in key order.

import { type Database, type DatabaseSnapshot, READ_AHEAD_BYTES } from "./database.js";
import { replacedBy } from "./get.js";
import { decodeState, keyOfData, parseHistoryKey, rangeOf, type StoredValue } from "./records.js";

const CHUNK = 200;

/** Reads an iterator in chunks, one entry in hand. */
class Cursor<T> {
  #entries: T[] = [];
  #at = 0;

  constructor(private readonly iterator: { nextv(size: number): Promise<T[]>; close(): Promise<void> }) {}

  async peek(): Promise<T | undefined> {
    if (this.#at === this.#entries.length) {
      this.#entries = await this.iterator.nextv(CHUNK);
      this.#at = 0;
    }
    return this.#entries[this.#at];
  }

  advance(): void {
    this.#at++;
  }

  close(): Promise<void> {
    return this.iterator.close();
  }
}

function isBefore(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

/** Takes all events of one key from the cursor; returns the first above the revision. */
async function firstEventAbove(history: Cursor<string>, key: string, revision: number): Promise<number | undefined> {
  let first: number | undefined;
  for (;;) {
    const entry = await history.peek();
    if (entry === undefined) return first;
    const event = parseHistoryKey(entry);
    if (event.key !== key) return first;
    if (event.revision > revision) first ??= event.revision;
    history.advance();
  }
}

/** The states of a prefix at a revision that the snapshot still keeps, in key order. */
export async function* walkPast(
  database: Database,
  snapshot: DatabaseSnapshot,
  prefix: string,
  { from, revision }: { from: string; revision: number },
): AsyncGenerator<StoredValue> {
  const options = { snapshot, highWaterMarkBytes: READ_AHEAD_BYTES };
  const data = new Cursor(database.iterator({ ...rangeOf("data", prefix, from), ...options }));
  const history = new Cursor(database.keys({ ...rangeOf("history", prefix, from), ...options }));
  try {
    // "<key>\0" begins behind that key, but before its history, whose entries are "<key>\0<revision>".
    for (;;) {
      const entry = await history.peek();
      if (entry === undefined || !isBefore(parseHistoryKey(entry).key, from)) break;
      history.advance();
    }
    for (;;) {
      const present = await data.peek();
      const event = await history.peek();
      if (present === undefined && event === undefined) return;
      const presentKey = present && keyOfData(present[0]);
      const eventKey = event === undefined ? undefined : parseHistoryKey(event).key;
      const key =
        presentKey === undefined || (eventKey !== undefined && isBefore(eventKey, presentKey)) ? eventKey! : presentKey;
      const changedAt = key === eventKey ? await firstEventAbove(history, key, revision) : undefined;
      if (key === presentKey) data.advance();
      const state =
        changedAt !== undefined
          ? replacedBy(database, snapshot, changedAt)
          : key === presentKey
            ? decodeState(key, present![1])
            : undefined;
      if (state) yield state;
    }
  } finally {
    await Promise.all([data.close(), history.close()]);
  }
}
