// How many nanocores are used now, from two readings of what was used ever: upstream's UsageNanoCores. Readings closer
// together than a second say little: the one before counts then.

import type { Clock } from "@picokube/component-base/clock";

export interface CpuRates {
  /** Undefined until there are two readings of the key. */
  nanoCores(key: string, usedNanos: number): number | undefined;
}

const leastApartMs = 1_000;
const forgottenAfterMs = 600_000;

interface Reading {
  readonly atMs: number;
  readonly usedNanos: number;
  readonly nanoCores: number | undefined;
}

/** Remembers one reading of each key. */
export function createCpuRates(clock: Clock): CpuRates {
  const readings = new Map<string, Reading>();
  return {
    nanoCores(key, usedNanos) {
      const nowMs = clock.now();
      for (const [old, { atMs }] of readings) if (nowMs - atMs > forgottenAfterMs) readings.delete(old);
      const before = readings.get(key);
      const apartMs = before ? nowMs - before.atMs : 0;
      if (before && apartMs < leastApartMs) return before.nanoCores;
      // A counter that fell is another container's.
      const grown = before && usedNanos >= before.usedNanos ? usedNanos - before.usedNanos : undefined;
      const nanoCores = grown === undefined ? undefined : Math.round((grown / apartMs) * 1000);
      readings.set(key, { atMs: nowMs, usedNanos, nanoCores });
      return nanoCores;
    },
  };
}
