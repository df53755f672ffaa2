// Waiting longer after each failure: one series (exponential) or one per key (Backoff). Never sleeps by itself.

import type { Clock } from "./clock.js";

export interface ExponentialOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** 2 when left out. */
  readonly factor?: number;
  /** Up to this share is added at random: 0.5 makes 10 s into 10 to 15 s. */
  readonly jitter?: number;
  readonly random?: () => number;
}

export interface Exponential {
  /** The next wait in ms. */
  next(): number;
  reset(): void;
}

/** A series of growing waits. */
export function exponential({
  initialMs,
  maxMs,
  factor = 2,
  jitter = 0,
  random = Math.random,
}: ExponentialOptions): Exponential {
  let waitMs = initialMs;
  return {
    next() {
      const current = waitMs;
      waitMs = Math.min(maxMs, waitMs * factor);
      return current + current * jitter * random();
    },
    reset() {
      waitMs = initialMs;
    },
  };
}

interface Entry {
  waitMs: number;
  lastUpdateMs: number;
}

/** Per-key back-off as upstream's flowcontrol.Backoff: next() doubles, a key idle for twice the maximum starts anew. */
export class Backoff {
  readonly #entries = new Map<string, Entry>();
  readonly #options: Required<Omit<ExponentialOptions, "random">> & { random: () => number };
  readonly #clock: Clock;

  constructor({
    clock,
    initialMs,
    maxMs,
    factor = 2,
    jitter = 0,
    random = Math.random,
  }: ExponentialOptions & { readonly clock: Clock }) {
    this.#clock = clock;
    this.#options = { initialMs, maxMs, factor, jitter, random };
  }

  /** The current wait in ms, 0 for a key that never failed. */
  get(key: string): number {
    return this.#entries.get(key)?.waitMs ?? 0;
  }

  /** Counts one more failure and returns the wait in ms that it brings. */
  next(key: string): number {
    const { initialMs, maxMs, factor, jitter, random } = this.#options;
    const nowMs = this.#clock.now();
    const entry = this.#entries.get(key);
    const fresh = !entry || nowMs - entry.lastUpdateMs > 2 * maxMs;
    const grown = fresh ? initialMs : entry.waitMs * factor;
    const waitMs = Math.min(maxMs, grown + grown * jitter * random());
    this.#entries.set(key, { waitMs, lastUpdateMs: nowMs });
    return waitMs;
  }

  /** Whether the wait that began at the last next() is still running; sinceMs moves its start. */
  isInBackoff(key: string, sinceMs?: number): boolean {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#clock.now() - (sinceMs ?? entry.lastUpdateMs) < entry.waitMs;
  }

  reset(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets the keys that were idle for twice the maximum. */
  collectGarbage(): void {
    const nowMs = this.#clock.now();
    for (const [key, entry] of this.#entries)
      if (nowMs - entry.lastUpdateMs > 2 * this.#options.maxMs) this.#entries.delete(key);
  }
}
