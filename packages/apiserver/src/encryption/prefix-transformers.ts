// A list of transformers, each told by what its stored bytes begin with: the first one writes, all of them read.

import type { Opened, Transformer } from "./transformer.js";

export interface PrefixTransformer {
  /** "k8s:enc:aesgcm:v1:" of a provider, "key1:" of a key in it, "" of identity. */
  readonly prefix: string;
  readonly transformer: Transformer;
}

/** Upstream: value.NewPrefixTransformers; noMatch are the words when no prefix fits. */
export function prefixTransformers(list: readonly PrefixTransformer[], noMatch: string): Transformer {
  const entries = list.map(({ prefix, transformer }) => ({ prefix: Buffer.from(prefix), transformer }));
  return {
    async toStorage(plain, storageKey) {
      const { prefix, transformer } = entries[0]!;
      const stored = await transformer.toStorage(plain, storageKey);
      return prefix.length === 0 ? stored : Buffer.concat([prefix, stored]);
    },
    async fromStorage(stored, storageKey): Promise<Opened> {
      const faults: unknown[] = [];
      for (const [index, { prefix, transformer }] of entries.entries()) {
        if (!stored.subarray(0, prefix.length).equals(prefix)) continue;
        try {
          const { plain, stale } = await transformer.fromStorage(stored.subarray(prefix.length), storageKey);
          return { plain, stale: stale || index > 0 };
        } catch (error) {
          // A provider may stand in the list twice, with the new key and with the old one: the next may still fit.
          if (prefix.length > 0) faults.push(error);
        }
      }
      if (faults.length === 0) throw new Error(noMatch);
      const words = [...new Set(faults.map((fault) => (fault as Error).message))];
      throw new Error(words.length === 1 ? words[0] : `[${words.join(", ")}]`, { cause: faults[0] });
    },
  };
}
