// What turns an object's bytes into those that are stored and back. Implementations know one algorithm and one key.

/** Mirrors upstream's value.Transformer. The storage key is bound to the bytes where the algorithm can authenticate it. */
export interface Transformer {
  toStorage(plain: Buffer, storageKey: string): Promise<Buffer> | Buffer;
  /** Throws when the bytes are not its own, damaged, or of another key. */
  fromStorage(stored: Buffer, storageKey: string): Promise<Opened> | Opened;
}

export interface Opened {
  readonly plain: Buffer;
  /** They would be written differently today: another key or provider comes first now. */
  readonly stale: boolean;
}
