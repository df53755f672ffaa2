// So much at once and no more; the rest waits in the order of asking. Knows nothing of what is done.

export interface Slots {
  /** Runs work when a slot is free, and frees it when work has settled. Rejects when the signal aborts before that. */
  use<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();

  function wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        waiting.delete(enter);
        signal?.removeEventListener("abort", giveUp);
      };
      const enter = () => {
        leave();
        resolve();
      };
      const giveUp = () => {
        leave();
        reject(signal!.reason as Error);
      };
      waiting.add(enter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  return {
    async use(work, signal) {
      signal?.throwIfAborted();
      if (free > 0) free -= 1;
      else await wait(signal);
      try {
        return await work();
      } finally {
        // A slot goes from hand to hand while somebody waits.
        const [next] = waiting;
        if (next) next();
        else free += 1;
      }
    },
  };
}
