// Pods whose finalizer was taken off and that the cache still shows with it: they must not be counted again. Upstream's
// uidTrackingExpectations.

import type { ObjectKey } from "@picokube/client/informer";

const none: ReadonlySet<string> = new Set();

export class FinalizerExpectations {
  readonly #released = new Map<ObjectKey, Set<string>>();

  /** The uids of such pods of one Job. */
  of(job: ObjectKey): ReadonlySet<string> {
    return this.#released.get(job) ?? none;
  }

  expect(job: ObjectKey, uids: readonly string[]): void {
    const known = this.#released.get(job) ?? new Set();
    for (const uid of uids) known.add(uid);
    this.#released.set(job, known);
  }

  /** The cache shows it now, or the removal failed. */
  observed(job: ObjectKey, uid: string): void {
    const known = this.#released.get(job);
    if (known?.delete(uid) && known.size === 0) this.#released.delete(job);
  }

  forget(job: ObjectKey): void {
    this.#released.delete(job);
  }
}
