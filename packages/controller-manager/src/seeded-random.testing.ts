// Chance that can be had again: the same seed gives the same numbers. For tests only.

export interface SeededRandom {
  /** A whole number from 0 to below. */
  below(limit: number): number;
  /** True in this share of cases. */
  chance(share: number): boolean;
  /** One of them; undefined of none. */
  pick<T>(items: readonly T[]): T | undefined;
}

/** The generator mulberry32. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  return { below, chance: (share) => next() < share, pick: (items) => items[below(items.length)] };
}
