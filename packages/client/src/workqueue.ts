// The queue behind every controller: a key waits once however often it is added, is never worked on twice at a time,
// and comes back later after a failure. Upstream's workqueue with its default rate limiter.

import type { Clock, Timer } from "@picokube/component-base/clock";
import { type TokenBucket, tokenBucket } from "./token-bucket.js";
import type { QueueObserver, WorkQueueMetrics } from "./workqueue-metrics.js";

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** First wait after a failure of a key: 5 ms; it doubles with each further one. */
  readonly baseDelayMs?: number;
  /** Longest wait of a key: 1000 s. */
  readonly maxDelayMs?: number;
  /** All keys together: 10 retries a second, 100 at once. */
  readonly qps?: number;
  readonly burst?: number;
  /** Where the queue is measured, and under which name. */
  readonly metrics?: { readonly registry: WorkQueueMetrics; readonly name: string } | undefined;
}

export class WorkQueue {
  readonly #clock: Clock;
  readonly #baseDelayMs: number;
  readonly #maxDelayMs: number;
  readonly #bucket: TokenBucket;
  readonly #order: string[] = [];
  /** Key → since when it waits, ms. */
  readonly #dirty = new Map<string, number>();
  /** Key → since when it is worked on, ms. */
  readonly #processing = new Map<string, number>();
  readonly #delayed = new Map<string, { dueMs: number; timer: Timer }>();
  readonly #failures = new Map<string, number>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  readonly #observer: QueueObserver | undefined;
  #shutDown = false;

  constructor({ clock, baseDelayMs = 5, maxDelayMs = 1_000_000, qps = 10, burst = 100, metrics }: WorkQueueOptions) {
    this.#observer = metrics?.registry.observe(metrics.name, this);
    this.#clock = clock;
    this.#baseDelayMs = baseDelayMs;
    this.#maxDelayMs = maxDelayMs;
    this.#bucket = tokenBucket({ qps, burst, clock });
  }

  /** Keys waiting to be worked on now. */
  get length(): number {
    return this.#order.length;
  }

  workingSeconds(): number[] {
    const nowMs = this.#clock.now();
    return [...this.#processing.values()].map((startedMs) => (nowMs - startedMs) / 1000);
  }

  add(key: string): void {
    if (this.#shutDown || this.#dirty.has(key)) return;
    this.#observer?.added();
    this.#dirty.set(key, this.#clock.now());
    // One that is being worked on comes back by itself when done.
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  /** Adds the key after delayMs; of several delays the earliest holds. */
  addAfter(key: string, delayMs: number): void {
    if (this.#shutDown) return;
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    this.#observer?.retried();
    const dueMs = this.#clock.now() + delayMs;
    const waiting = this.#delayed.get(key);
    if (waiting && waiting.dueMs <= dueMs) return;
    waiting?.timer.cancel();
    const timer = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** Adds the key after the wait that its failures so far, and those of all others, call for. */
  addRateLimited(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ownMs = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** failures);
    this.addAfter(key, Math.max(ownMs, this.#bucket.reserve()));
  }

  /** The key succeeded: its next failure is its first. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  /** The next key, or undefined once the queue is shut down and empty. done(key) must follow. */
  get(): Promise<string | undefined> {
    const key = this.#order.shift();
    if (key !== undefined) return Promise.resolve(this.#begin(key));
    if (this.#shutDown) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  done(key: string): void {
    const startedMs = this.#processing.get(key);
    if (startedMs !== undefined) this.#observer?.done((this.#clock.now() - startedMs) / 1000);
    this.#processing.delete(key);
    if (this.#dirty.has(key)) this.#enqueue(key);
  }

  /** Takes no more keys; what waits for time is forgotten. */
  shutDown(): void {
    this.#shutDown = true;
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    for (const take of this.#takers.splice(0)) take(undefined);
  }

  #enqueue(key: string): void {
    const take = this.#takers.shift();
    if (take) take(this.#begin(key));
    else this.#order.push(key);
  }

  #begin(key: string): string {
    const nowMs = this.#clock.now();
    this.#observer?.taken((nowMs - (this.#dirty.get(key) ?? nowMs)) / 1000);
    this.#processing.set(key, nowMs);
    this.#dirty.delete(key);
    return key;
  }
}
