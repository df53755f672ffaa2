// Lets one at a time act on a key, in the order of their coming. Holds nothing for keys that nobody waits at.

/** Queues by key. */
export class KeyQueue {
  private readonly tails = new Map<string, Promise<unknown>>();

  /** Acts when all that came before for the key have ended, well or not. */
  async run<T>(key: string, act: () => Promise<T>): Promise<T> {
    const before = this.tails.get(key) ?? Promise.resolve();
    const turn = before.then(act);
    const tail = turn.catch(() => {});
    this.tails.set(key, tail);
    try {
      return await turn;
    } finally {
      if (this.tails.get(key) === tail) this.tails.delete(key);
    }
  }
}
