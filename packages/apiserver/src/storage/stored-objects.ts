// The objects of one resource in the store: as they are now, and how a new state of one gets there and into the caches.
// Serialises each object once. Knows no rule of what may be written, and retries nothing.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { KeyValue, Store } from "@picokube/store/store";
import type { CacheFeed } from "./cache-feed.js";
import { encodeObject, parseObject, spliceRevision } from "./codec.js";
import { sameJson } from "./same-json.js";
import type { ServedResource } from "./served-resource.js";

/** The state that a write starts from. */
export interface Current {
  readonly revision: number;
  readonly bytes: Buffer;
}

/** An object with its bytes as they go over the wire. */
export interface Stored<T> {
  readonly object: T;
  readonly bytes: Buffer;
}

export interface StoredObjectsOptions<T extends KubernetesObject> {
  readonly served: ServedResource<T>;
  readonly store: Store;
  readonly feed: CacheFeed;
  readonly leaseTtlSeconds?: number | undefined;
}

export class StoredObjects<T extends KubernetesObject> {
  private readonly served: ServedResource<T>;
  private readonly store: Store;
  private readonly feed: CacheFeed;
  private readonly lease: { readonly leaseTtl?: number };

  constructor({ served, store, feed, leaseTtlSeconds }: StoredObjectsOptions<T>) {
    this.served = served;
    this.store = store;
    this.feed = feed;
    this.lease = leaseTtlSeconds === undefined ? {} : { leaseTtl: leaseTtlSeconds };
  }

  /** As the cache has it. */
  cached(key: string): Current | undefined {
    const item = this.served.cache.get(key);
    return item && { revision: item.revision, bytes: item.bytes };
  }

  /** As the store has it. */
  async latest(key: string): Promise<Current | undefined> {
    const pair = await this.store.get(key);
    return pair && { revision: pair.modRevision, bytes: spliceRevision(pair.value, pair.modRevision) };
  }

  /** Throws the store's fault when the key is taken. */
  async create(key: string, object: T): Promise<Stored<T>> {
    const stored = this.served.toStored(object);
    const bytes = encodeObject(stored);
    this.feed.remember(bytes, stored);
    return this.committed(object, await this.store.create(key, bytes, this.lease));
  }

  /** Writes what differs from the current state; throws the store's fault when that is not current any more. */
  async update(key: string, object: T, current: Current): Promise<Stored<T>> {
    const stored = this.served.toStored(object);
    const bytes = encodeObject(stored);
    const isSame = () => sameJson(withoutRevision(stored), withoutRevision(parseObject(current.bytes)));
    if (!this.store.isStale?.(key) && isSame()) return this.unwritten(object, current);
    this.feed.remember(bytes, stored);
    return this.committed(object, await this.store.update(key, bytes, current.revision, this.lease));
  }

  /** The object that a dry run, or a write of nothing new, answers with. */
  unwritten(object: T, { revision }: Current): Stored<T> {
    return { object, bytes: spliceRevision(encodeObject(object), revision) };
  }

  /** Throws the store's fault when the state is not current any more. The object gets the revision of its end. */
  async remove(key: string, object: T, current: Current): Promise<Stored<T>> {
    const { revision } = await this.store.delete(key, current.revision);
    await this.feed.applied(revision);
    object.metadata.resourceVersion = String(revision);
    return { object, bytes: spliceRevision(encodeObject(object), revision) };
  }

  private async committed(object: T, { key, modRevision }: KeyValue): Promise<Stored<T>> {
    await this.feed.applied(modRevision);
    object.metadata.resourceVersion = String(modRevision);
    const item = this.served.cache.get(key);
    if (item?.revision === modRevision) return { object, bytes: this.served.bytesOf(item) };
    return { object, bytes: spliceRevision(encodeObject(object), modRevision) };
  }
}

function withoutRevision(object: KubernetesObject): KubernetesObject {
  const { resourceVersion: _resourceVersion, ...metadata } = object.metadata;
  return { ...object, metadata: metadata as KubernetesObject["metadata"] };
}
