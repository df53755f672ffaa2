// A client's own limit: qps on average, burst at once, in the order of asking. Upstream's flowcontrol token bucket.

import type { Clock } from "@picokube/component-base/clock";

export interface TokenBucket {
  /** Takes a token and returns how many ms to wait for it. */
  reserve(): number;
  /** Takes a token only if one is there now. */
  tryTake(): boolean;
  /** Resolves when the caller may go on. */
  take(signal?: AbortSignal): Promise<void>;
}

/** A bucket that starts full. */
export function tokenBucket({ qps, burst, clock }: { qps: number; burst: number; clock: Clock }): TokenBucket {
  let tokens = burst;
  let lastMs = clock.now();
  const refill = () => {
    const nowMs = clock.now();
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) / 1000) * qps);
    lastMs = nowMs;
  };
  const reserve = () => {
    refill();
    tokens -= 1;
    return tokens >= 0 ? 0 : (-tokens / qps) * 1000;
  };
  return {
    reserve,
    tryTake() {
      refill();
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    async take(signal) {
      const waitMs = reserve();
      if (waitMs > 0) await clock.sleep(waitMs, signal);
    },
  };
}
