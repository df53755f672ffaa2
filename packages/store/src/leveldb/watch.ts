// Watches: each is a position in the history, never a buffer. It reads the ring, or the log when it has fallen behind,
// and sleeps when it has caught up. A slow consumer therefore costs nothing but its position.

import type { Clock, Timer } from "@picokube/component-base/clock";
import { compacted } from "../errors.js";
import type { StoreEvent, WatchItem } from "../store.js";
import { type Database, readRevisions } from "./database.js";
import { EventRing } from "./event-ring.js";
import { readLog } from "./read-log.js";

/** How long a watch may lag behind the store's revision without being told that nothing happened to it. */
const PROGRESS_DELAY_MS = 250;

interface Sleeper {
  prefix: string;
  wake(): void;
}

/** Publishes committed events to all watches. */
export class WatchHub {
  readonly #ring: EventRing;
  readonly #sleepers = new Set<Sleeper>();
  readonly #database: Database;
  readonly #clock: Clock;
  #progressTimer: Timer | undefined;
  #closed = false;

  constructor({ database, clock, revision }: { database: Database; clock: Clock; revision: number }) {
    this.#database = database;
    this.#clock = clock;
    this.#ring = new EventRing(revision);
  }

  get revision(): number {
    return this.#ring.lastRevision;
  }

  publish(events: readonly StoreEvent[]): void {
    for (const event of events) this.#ring.push(event);
    for (const sleeper of this.#sleepers) {
      if (events.some(({ key }) => key.startsWith(sleeper.prefix))) sleeper.wake();
    }
    this.#progressTimer ??= this.#clock.after(PROGRESS_DELAY_MS, () => {
      this.#progressTimer = undefined;
      this.#wakeAll();
    });
  }

  close(): void {
    this.#closed = true;
    this.#progressTimer?.cancel();
    this.#wakeAll();
  }

  #wakeAll(): void {
    for (const sleeper of this.#sleepers) sleeper.wake();
  }

  #sleep(prefix: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const sleeper = {
        prefix,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener("abort", sleeper.wake);
    });
  }

  /** Store.watch. */
  async *watch(
    prefix: string,
    { fromRevision, signal }: { fromRevision: number; signal: AbortSignal },
  ): AsyncGenerator<WatchItem, void, undefined> {
    const { compactRevision } = readRevisions(this.#database);
    // The ring may still know what compaction has made everybody forget.
    if (fromRevision < compactRevision) throw compacted(compactRevision);
    let position = fromRevision;
    let marked = -1;
    const done = () => signal.aborted || this.#closed;
    while (!done()) {
      if (position >= this.revision) {
        if (marked < this.revision) {
          // Not fromRevision itself when it lies ahead: nothing above the store's revision has been sent.
          marked = this.revision;
          yield { kind: "progress", revision: marked };
          continue;
        }
        await this.#sleep(prefix, signal);
        continue;
      }
      const event = this.#ring.at(position + 1);
      if (event) {
        position = event.revision;
        if (event.key.startsWith(prefix)) yield { kind: "event", event };
        continue;
      }
      const replay = await readLog(this.#database, prefix, { above: position, upTo: this.revision });
      if (position < replay.compactRevision) throw compacted(replay.compactRevision);
      for (const event of replay.events) {
        if (done()) return;
        position = event.revision;
        yield { kind: "event", event };
      }
      position = replay.revision;
    }
  }
}
