// Waiting in tests: for a state to be reached, never for time to pass.

/** Asks every 100 ms until check stops throwing and returns something other than false; the last failure is the error. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T>,
  timeoutMs = 60_000,
): Promise<Exclude<T, false>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== false) return value as Exclude<T, false>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline)
      throw new Error(`${what}: not within ${timeoutMs / 1000} s${last ? `: ${(last as Error).message}` : ""}`, {
        cause: last,
      });
    await new Promise((done) => setTimeout(done, 100));
  }
}
