// Who holds which address or port: what the cache shows, and what requests under way have reserved. In memory only.

/** Reservations of a request that never came to anything are forgotten after this time. */
const reservationMs = 60_000;

export class Claims<Key> {
  readonly #held = new Map<Key, string>();
  readonly #reserved = new Map<Key, { owner: string; until: number }>();

  /** Whether someone other than the owner has it. now is in milliseconds since the epoch. */
  isTaken(key: Key, owner: string, now: number): boolean {
    const holder = this.#held.get(key);
    if (holder !== undefined) return holder !== owner;
    const reservation = this.#reserved.get(key);
    return reservation !== undefined && reservation.until > now && reservation.owner !== owner;
  }

  /** Whether the cache shows that the owner has it. */
  isHeldBy(key: Key, owner: string): boolean {
    return this.#held.get(key) === owner;
  }

  /** Keeps it for the owner until the cache shows the owner's object. */
  reserve(key: Key, owner: string, now: number): void {
    for (const [other, { until }] of this.#reserved) if (until <= now) this.#reserved.delete(other);
    this.#reserved.set(key, { owner, until: now + reservationMs });
  }

  /** The cache shows that the owner's object holds it. */
  hold(key: Key, owner: string): void {
    this.#held.set(key, owner);
    if (this.#reserved.get(key)?.owner === owner) this.#reserved.delete(key);
  }

  /** The owner's object no longer holds it. */
  release(key: Key, owner: string): void {
    if (this.#held.get(key) === owner) this.#held.delete(key);
  }

  /** An update may ask for what its own delete gave back: also drops the owner's reservation. */
  forget(key: Key, owner: string): void {
    this.release(key, owner);
    if (this.#reserved.get(key)?.owner === owner) this.#reserved.delete(key);
  }
}
