// Decides what becomes of one more event: dropped as spam, counted on an earlier one, or written anew.
// Upstream's record.EventCorrelator with its defaults. Writes nothing itself.

import type { Event } from "@picokube/api/core/v1";
import type { Clock } from "@picokube/component-base/clock";
import { type TokenBucket, tokenBucket } from "./token-bucket.js";

const maxEntries = 4096;
const maxSimilar = 10;
const similarIntervalMs = 600_000;
const spamBurst = 25;
const spamQps = 1 / 300;

/** What is to be written: a new event, or a count on the one that was written before. */
export type Correlated =
  | { readonly write: "create"; readonly event: Event }
  | { readonly write: "count"; readonly event: Event };

interface Similar {
  messages: Set<string>;
  lastMs: number;
}

interface Known {
  count: number;
  name: string;
  firstTimestamp: string;
}

export class EventCorrelator {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #similar = new Map<string, Similar>();
  readonly #known = new Map<string, Known>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Undefined: drop it. */
  correlate(event: Event): Correlated | undefined {
    const spamKey = JSON.stringify([event.source, objectKey(event)]);
    const bucket = remember(this.#buckets, spamKey, () =>
      tokenBucket({ qps: spamQps, burst: spamBurst, clock: this.#clock }),
    );
    const { event: merged, key } = this.#aggregate(event);
    const known = this.#known.get(key);
    const counted: Event = known
      ? {
          ...merged,
          metadata: { ...merged.metadata, name: known.name },
          count: known.count + 1,
          firstTimestamp: known.firstTimestamp,
        }
      : merged;
    this.#remember(key, counted);
    if (!bucket.tryTake()) return undefined;
    return { write: known ? "count" : "create", event: counted };
  }

  #aggregate(event: Event): { event: Event; key: string } {
    const groupKey = JSON.stringify([
      event.source,
      objectKey(event),
      event.type,
      event.reason,
      event.reportingComponent,
      event.reportingInstance,
    ]);
    const fullKey = JSON.stringify([groupKey, event.message]);
    const nowMs = this.#clock.now();
    const found = remember(this.#similar, groupKey, () => ({ messages: new Set<string>(), lastMs: nowMs }));
    if (nowMs - found.lastMs > similarIntervalMs) found.messages = new Set();
    found.lastMs = nowMs;
    found.messages.add(event.message ?? "");
    if (found.messages.size < maxSimilar) return { event, key: fullKey };
    // The oldest message makes room, so that the set says how many stood together of late.
    for (const oldest of found.messages) {
      found.messages.delete(oldest);
      break;
    }
    return { event: { ...event, message: `(combined from similar events): ${event.message}` }, key: groupKey };
  }

  #remember(key: string, event: Event): void {
    this.#known.delete(key);
    const { count = 1, firstTimestamp = "" } = event;
    remember(this.#known, key, () => ({ count, name: event.metadata.name, firstTimestamp: String(firstTimestamp) }));
  }
}

function objectKey({ involvedObject }: Event): unknown[] {
  const { kind, namespace, name, uid, apiVersion, fieldPath } = involvedObject;
  return [kind, namespace, name, uid, apiVersion, fieldPath];
}

// A Map remembers the order of its keys: the one used longest ago is the first to go.
function remember<T>(map: Map<string, T>, key: string, make: () => T): T {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  if (map.size > maxEntries)
    for (const oldest of map.keys()) {
      map.delete(oldest);
      break;
    }
  return value;
}
