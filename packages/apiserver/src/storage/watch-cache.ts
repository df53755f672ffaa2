// The watch cache of one stored resource: each object's bytes, revision, labels and indexed fields in key order, and a
// ring of the latest changes for watches. Fed by cache-feed.ts alone; never reads or writes the store.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { parseObject } from "./codec.js";
import type { ParsedObjects } from "./parsed-objects.js";

const RING_SIZE = 1000;

/** One state of one object, as cached. Immutable but for the parsed object, which comes and goes. */
export interface CacheItem {
  /** The store's key. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  /** What goes over the wire. */
  readonly bytes: Buffer;
  readonly labels: { readonly [label: string]: string };
  /** metadata.name, metadata.namespace and the definition's selectable fields. */
  readonly fields: { readonly [field: string]: string };
  /** Set while remembered; read through WatchCache.object(). */
  parsed: KubernetesObject | undefined;
}

/** One change, with both states; for DELETED the item is the last state under the deleting revision. */
export interface CacheEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly item: CacheItem;
  readonly previous: CacheItem | undefined;
  /** Frames already made of this event, by type and representation: shared by all watchers while it is told. */
  readonly frames: Map<string, Buffer>;
}

export class WatchCache {
  /** In byte order of the keys. */
  readonly items: CacheItem[] = [];
  /** Stored, but not to be read (a missing encryption key, damaged bytes): by key, why. */
  readonly unreadable = new Map<string, Error>();
  /** Every change above this revision is still in the ring. */
  lowRevision = 0;
  private readonly byKey = new Map<string, CacheItem>();
  private readonly ring: CacheEvent[] = [];
  private readonly listeners = new Set<(event: CacheEvent) => void>();
  private readonly parsedObjects: ParsedObjects;
  /** "/registry/pods/". */
  readonly prefix: string;

  constructor({ prefix, parsedObjects }: { prefix: string; parsedObjects: ParsedObjects }) {
    this.prefix = prefix;
    this.parsedObjects = parsedObjects;
  }

  get(key: string): CacheItem | undefined {
    return this.byKey.get(key);
  }

  /** The item's object, parsed now or remembered. Shared: must not be changed. */
  object<T extends KubernetesObject>(item: CacheItem): T {
    if (item.parsed === undefined) item.parsed = parseObject(item.bytes);
    this.parsedObjects.touch(item);
    return item.parsed as T;
  }

  /** Items whose keys begin with the prefix and come after the given key. */
  range(prefix: string, afterKey = ""): readonly CacheItem[] {
    if (prefix === this.prefix && afterKey === "") return this.items;
    const from = Math.max(this.position(prefix), afterKey === "" ? 0 : this.position(`${afterKey}\0`));
    const to = this.position(`${prefix}\uffff`);
    return this.items.slice(from, Math.max(from, to));
  }

  /** Changes above the revision; undefined when the ring no longer has them all. */
  since(revision: number): readonly CacheEvent[] | undefined {
    if (revision < this.lowRevision) return undefined;
    let first = this.ring.length;
    while (first > 0 && this.ring[first - 1]!.revision > revision) first--;
    return this.ring.slice(first);
  }

  /** The revision of the latest change, or that of the load. */
  get lastRevision(): number {
    return this.ring[this.ring.length - 1]?.revision ?? this.lowRevision;
  }

  /** Called for each change in revision order; returns the function that ends it. */
  subscribe(listener: (event: CacheEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Puts one object in place during the first load. */
  load(item: CacheItem): void {
    this.insert(item);
  }

  /** Applies one change and tells the listeners. */
  apply(event: CacheEvent): void {
    if (event.type === "DELETED") this.remove(event.item.key);
    else this.insert(event.item);
    this.ring.push(event);
    if (this.ring.length > RING_SIZE) {
      const dropped = this.ring.splice(0, RING_SIZE / 4);
      this.lowRevision = dropped[dropped.length - 1]!.revision;
    }
    for (const listener of [...this.listeners]) listener(event);
    event.frames.clear();
    if (event.previous) this.parsedObjects.forget(event.previous);
  }

  private insert(item: CacheItem): void {
    const index = this.position(item.key);
    if (this.items[index]?.key === item.key) this.items[index] = item;
    else this.items.splice(index, 0, item);
    this.byKey.set(item.key, item);
  }

  private remove(key: string): void {
    const index = this.position(key);
    if (this.items[index]?.key === key) this.items.splice(index, 1);
    this.byKey.delete(key);
  }

  /** Index of the first item whose key is not below the given one. */
  private position(key: string): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.items[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
