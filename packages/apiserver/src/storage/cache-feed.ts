// Feeds every watch cache from one watch of the store, in commit order, and tells when a revision has been applied.
// The only reader of the store's history; never writes.

import { serviceUnavailable } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Logger } from "@picokube/component-base/logger";
import type { KeyValue, Store, StoreEvent } from "@picokube/store/store";
import type { CacheItem } from "./cache-item.js";
import { parseObject, spliceRevision } from "./codec.js";
import { ParsedObjects } from "./parsed-objects.js";
import { WatchCache } from "./watch-cache.js";

export const REGISTRY_PREFIX = "/registry/";
const PAGE_SIZE = 500;
const PARSED_LIMIT = 1000;

/** Computes what a field selector may look at beyond metadata. */
export type FieldsOf = (object: KubernetesObject) => { [field: string]: string };

interface Entry {
  readonly cache: WatchCache;
  fieldsOf: FieldsOf | undefined;
  /** Changes seen while the cache is being filled; undefined once it is. */
  pending?: StoreEvent[] | undefined;
  /** What the cache was filled with; changes up to here are in it. */
  filledRevision: number;
}

export class CacheFeed {
  /** Every commit up to this revision is in the caches. */
  revision = 0;
  private readonly store: Store;
  private readonly logger: Logger;
  private readonly caches = new Map<string, Entry>();
  private readonly parsedObjects = new ParsedObjects({ limit: PARSED_LIMIT });
  private readonly written = new WeakMap<Buffer, KubernetesObject>();
  private waiting: { revision: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  private readonly progressListeners = new Set<() => void>();
  private failed: Error | undefined;

  constructor({ store, logger }: { store: Store; logger: Logger }) {
    this.store = store;
    this.logger = logger;
  }

  /** The cache of that storage prefix ("services/specs"); made at first call, before start(). */
  cacheFor(storagePrefix: string, fieldsOf?: FieldsOf): WatchCache {
    const existing = this.caches.get(storagePrefix);
    if (existing) {
      existing.fieldsOf ??= fieldsOf;
      return existing.cache;
    }
    const cache = new WatchCache({
      prefix: `${REGISTRY_PREFIX}${storagePrefix}/`,
      parsedObjects: this.parsedObjects,
      onListenerFault: (error) =>
        this.logger.error("who follows a watch cache failed", { err: error, stack: (error as Error).stack }),
    });
    this.caches.set(storagePrefix, { cache, fieldsOf, filledRevision: 0 });
    return cache;
  }

  /** Begins a cache while the feed runs; resolves when it holds all that is stored below the prefix. */
  async open(storagePrefix: string): Promise<void> {
    if (this.caches.has(storagePrefix)) return;
    const cache = this.cacheFor(storagePrefix);
    const entry = this.caches.get(storagePrefix)!;
    entry.pending = [];
    try {
      const revision = await this.loadAll(cache.prefix);
      cache.lowRevision = revision;
      entry.filledRevision = revision;
      const { pending } = entry;
      entry.pending = undefined;
      for (const event of pending) this.applyEvent(event);
      await this.applied(revision);
    } catch (error) {
      this.caches.delete(storagePrefix);
      throw error;
    }
  }

  /** Forgets a cache that open() began. */
  close(storagePrefix: string): void {
    this.caches.delete(storagePrefix);
  }

  /** Loads all that is stored, then follows the store until the signal aborts. Resolves after the load. */
  async start(signal: AbortSignal): Promise<void> {
    const revision = await this.loadAll(REGISTRY_PREFIX);
    for (const { cache } of this.caches.values()) cache.lowRevision = revision;
    this.revision = revision;
    void this.follow(revision, signal);
  }

  /** Puts all that is stored below the prefix into the caches; resolves to the revision that it was read at. */
  private async loadAll(prefix: string): Promise<number> {
    let continueKey: string | undefined;
    let revision: number | undefined;
    do {
      const page = await this.store.list(prefix, {
        limit: PAGE_SIZE,
        ...(revision === undefined ? {} : { revision }),
        ...(continueKey === undefined ? {} : { continueKey }),
      });
      revision = page.revision;
      for (const pair of page.items) this.load(pair);
      continueKey = page.continueKey;
    } while (continueKey !== undefined);
    return revision;
  }

  /** Remembers what was just written, so that the feed need not parse it again. */
  remember(bytes: Buffer, object: KubernetesObject): void {
    this.written.set(bytes, object);
  }

  /** Resolves once the caches have that revision: a writer reads its own write. */
  async applied(revision: number): Promise<void> {
    if (this.revision >= revision) return;
    if (this.failed) throw serviceUnavailable("the watch of the store has ended", { cause: this.failed });
    await new Promise<void>((resolve, reject) => this.waiting.push({ revision, resolve, reject }));
  }

  /** Called whenever the applied revision rises; returns the function that ends it. */
  onProgress(listener: () => void): () => void {
    this.progressListeners.add(listener);
    return () => this.progressListeners.delete(listener);
  }

  private async follow(fromRevision: number, signal: AbortSignal): Promise<void> {
    try {
      for await (const item of this.store.watch(REGISTRY_PREFIX, { fromRevision, signal })) {
        if (item.kind === "event") this.applyEvent(item.event);
        this.advance(item.kind === "event" ? item.event.revision : item.revision);
      }
      if (!signal.aborted) throw new Error("the store ended its watch");
    } catch (error) {
      if (signal.aborted) return;
      this.failed = error as Error;
      this.logger.error("the watch of the store has ended; reads are stale until a restart", { err: error });
      for (const { reject } of this.waiting.splice(0)) reject(serviceUnavailable("the watch of the store has ended"));
    }
  }

  /** What went wrong with the feed, for readyz. */
  get fault(): Error | undefined {
    return this.failed;
  }

  private advance(revision: number): void {
    if (revision <= this.revision) return;
    this.revision = revision;
    if (this.waiting.length > 0) {
      const still = [];
      for (const waiter of this.waiting) {
        if (waiter.revision <= revision) waiter.resolve();
        else still.push(waiter);
      }
      this.waiting = still;
    }
    for (const listener of this.progressListeners) listener();
  }

  private entryFor(key: string) {
    const first = key.indexOf("/", REGISTRY_PREFIX.length);
    if (first < 0) return undefined;
    const second = key.indexOf("/", first + 1);
    return (
      (second < 0 ? undefined : this.caches.get(key.slice(REGISTRY_PREFIX.length, second))) ??
      this.caches.get(key.slice(REGISTRY_PREFIX.length, first))
    );
  }

  private load(pair: KeyValue): void {
    const entry = this.entryFor(pair.key);
    if (!entry) return;
    try {
      entry.cache.load(this.itemOf(entry, pair, { keepParsed: false }));
      entry.cache.unreadable.delete(pair.key);
    } catch (error) {
      this.leaveOut(entry, pair.key, error);
    }
  }

  private applyEvent(event: StoreEvent): void {
    const entry = this.entryFor(event.key);
    if (!entry || event.revision <= entry.filledRevision) return;
    if (entry.pending) {
      entry.pending.push(event);
      return;
    }
    const previous = entry.cache.get(event.key);
    try {
      if (event.type === "delete") {
        entry.cache.unreadable.delete(event.key);
        if (!previous) return;
        const { value, fault } = event.current;
        const bytes = fault ? previous.bytes : spliceRevision(value, event.revision);
        const item = { ...previous, revision: event.revision, bytes, parsed: undefined, row: undefined };
        entry.cache.apply({ type: "DELETED", revision: event.revision, item, previous, frames: new Map() });
        return;
      }
      const item = this.itemOf(entry, event.current, { keepParsed: true });
      const type = previous ? "MODIFIED" : "ADDED";
      entry.cache.apply({ type, revision: event.revision, item, previous, frames: new Map() });
    } catch (error) {
      this.leaveOut(entry, event.key, error);
    }
  }

  private leaveOut({ cache }: Entry, key: string, error: unknown): void {
    cache.unreadable.set(key, error as Error);
    this.logger.error("a stored object cannot be read and is left out", { key, err: error });
  }

  /** Reads once more what could not be read: the keys may have come back. */
  async retryUnreadable(): Promise<void> {
    for (const { cache } of this.caches.values()) {
      for (const key of [...cache.unreadable.keys()]) {
        const pair = await this.store.get(key);
        if (pair) this.load(pair);
        else cache.unreadable.delete(key);
      }
    }
  }

  private itemOf(
    { cache, fieldsOf }: Entry,
    { key, value, modRevision, fault }: KeyValue,
    { keepParsed }: { keepParsed: boolean },
  ): CacheItem {
    if (fault) throw fault;
    const bytes = spliceRevision(value, modRevision);
    const known = this.written.get(value);
    // The store keeps the bytes for a while: the object must not live as long, nor the collector walk all of them.
    this.written.delete(value);
    const object = known ?? parseObject(bytes);
    if (known) known.metadata.resourceVersion = String(modRevision);
    const { name, namespace = "", labels = {} } = object.metadata;
    const fields = { "metadata.name": name, "metadata.namespace": namespace, ...fieldsOf?.(object) };
    const item: CacheItem = { key, namespace, name, revision: modRevision, bytes, labels, fields, parsed: undefined };
    if (keepParsed) {
      item.parsed = object;
      cache.object(item);
    }
    return item;
  }
}
