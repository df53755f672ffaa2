// How long a node's failed daemon pod is left alone before it is made anew: longer with each failure. Upstream's
// flowcontrol.Backoff, as the DaemonSet controller uses it.

const firstMs = 1000;
const longestMs = 15 * 60_000;

interface Entry {
  delayMs: number;
  sinceMs: number;
}

export class FailedPodsBackoff {
  readonly #entries = new Map<string, Entry>();

  /** How much of the wait is left; 0: it may be made anew. */
  leftMs(key: string, nowMs: number): number {
    const entry = this.#entries.get(key);
    if (!entry || isForgotten(entry, nowMs)) return 0;
    return Math.max(0, entry.sinceMs + entry.delayMs - nowMs);
  }

  /** It failed once more. */
  next(key: string, nowMs: number): void {
    for (const [each, entry] of this.#entries) if (isForgotten(entry, nowMs)) this.#entries.delete(each);
    const before = this.#entries.get(key);
    const delayMs = before ? Math.min(longestMs, before.delayMs * 2) : firstMs;
    this.#entries.set(key, { delayMs, sinceMs: nowMs });
  }
}

function isForgotten({ sinceMs }: Entry, nowMs: number): boolean {
  return nowMs - sinceMs > 2 * longestMs;
}
