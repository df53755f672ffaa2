// Time as a dependency, so that tests step it. The stepping clock lives in the testing package.

export interface Timer {
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Calls back once after delayMs; the timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): Timer;
  /** Resolves after delayMs; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** The system's time. */
export function realClock(): Clock {
  return {
    now: () => Date.now(),
    after(delayMs, callback) {
      // setTimeout cannot hold more than 2^31-1 ms: longer waits are made of several timers.
      const dueMs = Date.now() + delayMs;
      let timer: NodeJS.Timeout;
      const arm = () => {
        const leftMs = dueMs - Date.now();
        if (leftMs > maxTimeoutMs) timer = setTimeout(arm, maxTimeoutMs).unref();
        else timer = setTimeout(callback, Math.max(0, leftMs)).unref();
      };
      arm();
      return { cancel: () => clearTimeout(timer) };
    },
    sleep: (delayMs, signal) => sleepOn({ timer: (callback) => refTimer(delayMs, callback), signal }),
  };
}

const maxTimeoutMs = 2 ** 31 - 1;

// A sleeper is somebody's progress: unlike a bare timer it keeps the process alive.
function refTimer(delayMs: number, callback: () => void): Timer {
  const timer = setTimeout(callback, Math.min(delayMs, maxTimeoutMs));
  return { cancel: () => clearTimeout(timer) };
}

/** Turns a timer into a promise that rejects with the signal's reason when that aborts first. */
export function sleepOn({
  timer,
  signal,
}: {
  timer: (callback: () => void) => Timer;
  signal?: AbortSignal | undefined;
}): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      armed.cancel();
      reject(signal!.reason);
    };
    const armed = timer(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
