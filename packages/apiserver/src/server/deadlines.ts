// Ends what takes too long, when all may take equally long: one timer for all of them, where one each would cost more than
// many a request. A deadline is met up to a tenth of it late. Knows no requests.

/** Tells whoever is not done in time. */
export interface Deadlines {
  /** Calls expired once, unless the returned key is removed before. */
  add(expired: () => void): object;
  remove(key: object | undefined): void;
}

interface Entry {
  readonly dueMs: number;
  readonly expired: () => void;
}

/** Deadlines of timeoutMs from their adding on. Its timer runs only while there are some. */
export function createDeadlines(timeoutMs: number): Deadlines {
  // In the order of adding, which is the order of falling due.
  const entries = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;
  const check = (): void => {
    timer = undefined;
    const nowMs = performance.now();
    for (const entry of entries) {
      if (entry.dueMs > nowMs) break;
      entries.delete(entry);
      entry.expired();
    }
    arm();
  };
  const arm = (): void => {
    if (entries.size === 0 || timer !== undefined) return;
    timer = setTimeout(check, Math.max(timeoutMs / 10, 1)).unref();
  };
  return {
    add(expired) {
      const entry = { dueMs: performance.now() + timeoutMs, expired };
      entries.add(entry);
      arm();
      return entry;
    },
    remove(key) {
      entries.delete(key as Entry);
    },
  };
}
