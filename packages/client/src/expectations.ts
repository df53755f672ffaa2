// Expectations: what a controller has asked for and not yet seen, so that a stale cache does not make it ask twice.
// Upstream's ControllerExpectations and UIDTrackingControllerExpectations in one.

import type { Clock } from "@picokube/component-base/clock";
import type { ObjectKey } from "./informer.js";

const timeoutMs = 300_000;
const none: ReadonlySet<string> = new Set();

interface Expected {
  creations: number;
  /** Keys of objects whose deletion was asked for. */
  deletions: Set<string>;
  sinceMs: number;
}

export class Expectations {
  readonly #clock: Clock;
  readonly #expected = new Map<ObjectKey, Expected>();

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Whether the controller may act on what its cache shows: all was seen, or it took too long. */
  satisfied(key: ObjectKey): boolean {
    const expected = this.#expected.get(key);
    if (!expected) return true;
    if (expected.creations <= 0 && expected.deletions.size === 0) return true;
    return this.#clock.now() - expected.sinceMs > timeoutMs;
  }

  /** Keys of objects whose deletion was asked for and not yet seen. */
  pendingDeletions(key: ObjectKey): ReadonlySet<string> {
    return this.satisfied(key) ? none : (this.#expected.get(key)?.deletions ?? none);
  }

  expectCreations(key: ObjectKey, count: number): void {
    this.expect(key, { creations: count, deletions: [] });
  }

  expectDeletions(key: ObjectKey, objects: readonly string[]): void {
    this.expect(key, { creations: 0, deletions: objects });
  }

  /** Of both kinds at once. */
  expect(key: ObjectKey, { creations, deletions }: { creations: number; deletions: readonly string[] }): void {
    this.#expected.set(key, { creations, deletions: new Set(deletions), sinceMs: this.#clock.now() });
  }

  /** One creation was seen, or will never be, because it failed. */
  creationObserved(key: ObjectKey): void {
    const expected = this.#expected.get(key);
    if (expected) expected.creations -= 1;
  }

  /** Also for a deletion that failed. Seeing one twice counts once. */
  deletionObserved(key: ObjectKey, object: string): void {
    this.#expected.get(key)?.deletions.delete(object);
  }

  /** The owner is gone. */
  forget(key: ObjectKey): void {
    this.#expected.delete(key);
  }
}
