// Runs a function soon after it is asked for, never twice at once, at most once an interval, and at least once a longer
// one. Mirrors upstream's async.BoundedFrequencyRunner. Knows nothing of what it runs.

import type { Clock, Timer } from "@picokube/component-base/clock";

export interface BoundedRunnerOptions {
  readonly clock: Clock;
  readonly minIntervalMs: number;
  /** It runs this long after the last success even when nobody asks. */
  readonly maxIntervalMs: number;
  readonly retryIntervalMs: number;
  /** A rejection is retried after retryIntervalMs; it must log for itself. */
  run(): Promise<void>;
}

export interface BoundedRunner {
  request(): void;
  /** Ends the timers and waits for a run under way. */
  stop(): Promise<void>;
}

export function boundedRunner({
  clock,
  minIntervalMs,
  maxIntervalMs,
  retryIntervalMs,
  run,
}: BoundedRunnerOptions): BoundedRunner {
  let timer: Timer | undefined;
  let current: Promise<void> | undefined;
  let wanted = false;
  let stopped = false;
  let lastStartMs = Number.NEGATIVE_INFINITY;

  function arm(delayMs: number): void {
    timer?.cancel();
    if (!stopped) timer = clock.after(delayMs, start);
  }

  function start(): void {
    if (current || stopped) return;
    wanted = false;
    lastStartMs = clock.now();
    current = run().then(
      () => finish(maxIntervalMs),
      () => finish(retryIntervalMs),
    );
  }

  function finish(idleMs: number): void {
    current = undefined;
    arm(wanted ? untilAllowed() : idleMs);
  }

  function untilAllowed(): number {
    return Math.max(0, lastStartMs + minIntervalMs - clock.now());
  }

  return {
    request() {
      if (wanted) return;
      wanted = true;
      if (!current) arm(untilAllowed());
    },
    async stop() {
      stopped = true;
      timer?.cancel();
      await current;
    },
  };
}
