// What a benchmark yields: each figure beside a baseline of the same run. Never asserted; printed and kept.

export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The same unit, measured in the same run. */
  readonly baseline: number;
  /** What the baseline is, in words. */
  readonly against: string;
  /** value / baseline. */
  readonly ratio: number;
  /** What was measured beside it, by name and unit: "p99 ms". */
  readonly details?: { readonly [name: string]: number };
  /** "≥ 0.7" or "≤ 1.5" of the ratio, or of the value where it names a unit. */
  readonly target: string;
}

export interface Benchmark {
  readonly name: string;
  run(say: (text: string) => void): Promise<Measurement[]>;
}

export function measurement(facts: Omit<Measurement, "ratio">): Measurement {
  return { ...facts, ratio: facts.value / facts.baseline };
}

/** The middle value; the lower of the two middle ones. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Milliseconds that work took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Runs count tasks with so many under way at once. */
export async function inParallel(count: number, width: number, task: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < count) await task(next++);
    }),
  );
}
