// The most recent events, in memory. Bounded in number and bytes; knows nothing of who reads them.

import type { StoreEvent } from "../store.js";

const MAX_EVENTS = 4096;
const MAX_BYTES = 8 * 1024 * 1024;

function sizeOf({ key, current, previous }: StoreEvent): number {
  return 200 + key.length * 2 + current.value.length + (previous ? previous.value.length : 0);
}

export class EventRing {
  #events: StoreEvent[] = [];
  #start = 0;
  #bytes = 0;
  #lastRevision: number;

  constructor(
    revision: number,
    private readonly limits = { events: MAX_EVENTS, bytes: MAX_BYTES },
  ) {
    this.#lastRevision = revision;
  }

  /** The newest published revision. */
  get lastRevision(): number {
    return this.#lastRevision;
  }

  push(event: StoreEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    this.#lastRevision = event.revision;
    const { events, bytes } = this.limits;
    while (this.#events.length - this.#start > events || (this.#bytes > bytes && this.#start < this.#events.length)) {
      this.#bytes -= sizeOf(this.#events[this.#start]!);
      this.#start++;
    }
    if (this.#start > events) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** The event of a revision; undefined when it has left the ring or has not come. Every revision is one event. */
  at(revision: number): StoreEvent | undefined {
    const fromEnd = this.#lastRevision - revision;
    const index = this.#events.length - 1 - fromEnd;
    return fromEnd < 0 || index < this.#start ? undefined : this.#events[index];
  }
}
