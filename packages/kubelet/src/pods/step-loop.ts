// When a pod's worker takes its next step: one at a time, and whatever wakes it in between becomes one more. A step that
// fails is tried again later and later. Knows nothing of pods. Upstream's podWorkerLoop and its work queue.

import { exponential } from "@picokube/component-base/backoff";
import type { Clock, Timer } from "@picokube/component-base/clock";

const retry = { initialMs: 500, maxMs: 10_000, jitter: 0.1 };
/** As often as upstream's PLEG lists: no more often is what failed tried again for what it did itself. */
const newsPeriodMs = 1_000;

export interface StepLoopOptions {
  readonly clock: Clock;
  /** One step; resolves to after how many milliseconds the next is due without anybody's waking. The signal is interrupt's. */
  readonly step: (signal: AbortSignal) => Promise<number | undefined>;
  /** Told of each step that failed, but for those that were interrupted. */
  readonly onFailure: (error: unknown) => void;
}

export class StepLoop {
  readonly #options: StepLoopOptions;
  readonly #retry = exponential(retry);
  #stopped = false;
  #dirty = false;
  /** News came while a step ran. */
  #news = false;
  /** When the last step failed; undefined when it did not. */
  #failedAtMs: number | undefined;
  #running: Promise<void> | undefined;
  #step = new AbortController();
  #timer: Timer | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(options: StepLoopOptions) {
    this.#options = options;
  }

  /** A step is due now, or after the one that runs. */
  wake(): void {
    if (this.#stopped) return;
    this.#dirty = true;
    this.#running ??= this.#run();
  }

  /** As wake; but soon after a failure it may be what the failed step itself did and undid, and waits a little. */
  news(): void {
    if (this.#stopped) return;
    if (this.#running) this.#news = true;
    else if (this.#failedAtMs === undefined) this.wake();
    else this.#wakeIn(this.#failedAtMs + newsPeriodMs - this.#options.clock.now());
  }

  /** Aborts the step that runs; the next one follows at once. */
  interrupt(): void {
    this.#step.abort(new Error("the pod's desired state has changed"));
  }

  /** Begins when the others have ended, whatever wakes it before. */
  beginAfter(others: Promise<void>): void {
    this.#running = others.then(() => {
      this.#running = undefined;
      this.wake();
    });
  }

  /** The step that runs is the last, unless it fails. */
  end(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  /** Interrupts and ends; resolves when nothing runs. */
  async stop(): Promise<void> {
    this.end();
    this.interrupt();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, step, onFailure } = this.#options;
    while (this.#dirty && !this.#stopped) {
      this.#dirty = false;
      this.#news = false;
      this.#timer?.cancel();
      this.#dueMs = Number.POSITIVE_INFINITY;
      this.#step = new AbortController();
      let againMs: number | undefined;
      try {
        againMs = await step(this.#step.signal);
        this.#retry.reset();
        this.#failedAtMs = undefined;
        this.#dirty ||= this.#news;
      } catch (error) {
        if (this.#step.signal.aborted) {
          this.#dirty = true;
          continue;
        }
        onFailure(error);
        this.#failedAtMs = clock.now();
        againMs = Math.min(this.#retry.next(), this.#news ? newsPeriodMs : Number.POSITIVE_INFINITY);
      }
      if (againMs !== undefined) this.#wakeIn(againMs);
    }
    this.#running = undefined;
    if (this.#dirty && !this.#stopped) this.wake();
  }

  /** Unless it is due sooner. */
  #wakeIn(delayMs: number): void {
    const { clock } = this.#options;
    const dueMs = clock.now() + Math.max(0, delayMs);
    if (this.#stopped || dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.after(Math.max(0, delayMs), () => this.wake());
  }
}
