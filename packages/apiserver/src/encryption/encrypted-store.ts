// A Store whose values are encrypted below it: plain bytes above, what the EncryptionConfiguration says on disk. Knows
// keys of the store and which resource they belong to, no object.

import type { GroupResource } from "@picokube/api/resource";
import type { KeyValue, Store, StoreEvent, WatchItem } from "@picokube/store/store";
import type { Transformer } from "./transformer.js";
import type { TransformerOf } from "./transformers.js";

export interface EncryptedStore extends Store {
  /** What is read and written from now on; what was read before it counts as stale until it is written again. */
  use(transformerOf: TransformerOf): void;
}

/** Which resource a key of the store belongs to; undefined for a key of none. */
export type ResourceOfKey = (key: string) => GroupResource | undefined;

/** Wraps the store; closing it closes the store. */
export function createEncryptedStore({
  store,
  transformerOf,
  resourceOf,
}: {
  store: Store;
  transformerOf: TransformerOf;
  resourceOf: ResourceOfKey;
}): EncryptedStore {
  let current = transformerOf;
  // By key: the transformer that wrote or read the value last, while it would write it the same way today.
  const fresh = new Map<string, Transformer>();
  // What was just encrypted here comes back through the watch: it need not be decrypted.
  const plainOf = new WeakMap<Buffer, Buffer>();
  const transformerFor = (key: string): Transformer | undefined => {
    const resource = resourceOf(key);
    return resource && current(resource);
  };

  async function seal(key: string, plain: Buffer): Promise<{ value: Buffer; transformer: Transformer | undefined }> {
    const transformer = transformerFor(key);
    if (!transformer) return { value: plain, transformer };
    const value = await transformer.toStorage(plain, key);
    if (value !== plain) plainOf.set(value, plain);
    return { value, transformer };
  }

  /** Never throws: what cannot be read has a fault in its place. */
  async function open(pair: KeyValue): Promise<KeyValue> {
    const transformer = transformerFor(pair.key);
    if (!transformer) return pair;
    const known = plainOf.get(pair.value);
    if (known) return { ...pair, value: known };
    try {
      const { plain, stale } = await transformer.fromStorage(pair.value, pair.key);
      if (stale) fresh.delete(pair.key);
      else fresh.set(pair.key, transformer);
      return { ...pair, value: plain };
    } catch (error) {
      return { ...pair, value: Buffer.alloc(0), fault: faultOf(pair.key, error) };
    }
  }

  async function openEvent(event: StoreEvent): Promise<StoreEvent> {
    const [opened, previous] = await Promise.all([open(event.current), event.previous && open(event.previous)]);
    if (event.type === "delete") fresh.delete(event.key);
    return { ...event, current: opened, previous };
  }

  return {
    use(next) {
      current = next;
    },
    isStale(key) {
      const transformer = transformerFor(key);
      return transformer !== undefined && fresh.get(key) !== transformer;
    },
    async get(key, options) {
      const pair = await store.get(key, options);
      return pair && open(pair);
    },
    async list(prefix, options) {
      const result = await store.list(prefix, options);
      return { ...result, items: await Promise.all(result.items.map(open)) };
    },
    async create(key, plain, options) {
      const { value, transformer } = await seal(key, plain);
      const pair = await store.create(key, value, options);
      if (transformer) fresh.set(key, transformer);
      return { ...pair, value: plain };
    },
    async update(key, plain, expectedRevision, options) {
      const { value, transformer } = await seal(key, plain);
      const pair = await store.update(key, value, expectedRevision, options);
      if (transformer) fresh.set(key, transformer);
      return { ...pair, value: plain };
    },
    async delete(key, expectedRevision) {
      return openEvent(await store.delete(key, expectedRevision));
    },
    async *watch(prefix, options) {
      for await (const item of store.watch(prefix, options)) {
        yield item.kind === "event"
          ? ({ kind: "event", event: await openEvent(item.event) } satisfies WatchItem)
          : item;
      }
    },
    compact: (revision) => store.compact(revision),
    status: () => store.status(),
    recoverable: () => store.recoverable(),
    snapshot: () => store.snapshot(),
    close: () => store.close(),
  };
}

/** In upstream's words (storage/etcd3: NewInternalError of the transformation). */
function faultOf(key: string, error: unknown): Error {
  return new Error(`unable to transform key ${JSON.stringify(key)}: ${(error as Error).message}`, { cause: error });
}
