// The watch cache of one stored resource: each object's bytes, revision, labels and indexed fields in key order, and a
// ring of the latest changes for watches. Fed by cache-feed.ts alone; never reads or writes the store.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { CacheIndex, type IndexTerm } from "./cache-index.js";
import type { CacheEvent, CacheItem } from "./cache-item.js";
import { parseObject } from "./codec.js";
import type { ParsedObjects } from "./parsed-objects.js";
import { RememberedRows } from "./remembered-rows.js";
import { SortedItems } from "./sorted-items.js";

const RING_SIZE = 1000;
/** Some hundred bytes each. */
const MAX_ROWS = 10_000;

export class WatchCache {
  /** In byte order of the keys. */
  readonly items = new SortedItems();
  /** Stored, but not to be read (a missing encryption key, damaged bytes): by key, why. */
  readonly unreadable = new Map<string, Error>();
  /** How items were last shown in a Table. */
  readonly rows = new RememberedRows({ limit: MAX_ROWS });
  /** Every change above this revision is still in the ring. */
  lowRevision = 0;
  private readonly byKey = new Map<string, CacheItem>();
  private readonly index = new CacheIndex();
  private readonly ring: CacheEvent[] = [];
  private readonly listeners = new Set<(event: CacheEvent) => void>();
  private readonly parsedObjects: ParsedObjects;
  /** "/registry/pods/". */
  readonly prefix: string;

  private readonly onListenerFault: (error: unknown) => void;

  constructor({
    prefix,
    parsedObjects,
    onListenerFault,
  }: {
    prefix: string;
    parsedObjects: ParsedObjects;
    onListenerFault: (error: unknown) => void;
  }) {
    this.prefix = prefix;
    this.parsedObjects = parsedObjects;
    this.onListenerFault = onListenerFault;
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

  /** Items whose keys begin with the prefix, and come after afterKey when it is given; a picture, not followed. */
  range(prefix: string, { afterKey = "", limit = Number.POSITIVE_INFINITY } = {}): readonly CacheItem[] {
    const { from, to } = this.bounds(prefix, afterKey);
    return this.items.slice(from, to, limit);
  }

  /** How many range() has without a limit. */
  count(prefix: string, afterKey = ""): number {
    const { from, to } = this.bounds(prefix, afterKey);
    return this.items.count(from, to);
  }

  /** As range(), with at least those items that fit all of the terms. */
  candidates(prefix: string, { afterKey = "", terms }: { afterKey?: string; terms: readonly IndexTerm[] }) {
    const found = this.index.find(terms, this.items);
    return found
      ? found.filter(({ key }) => key > afterKey && key.startsWith(prefix))
      : this.range(prefix, { afterKey });
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
    for (const listener of [...this.listeners]) {
      // One that fails must not keep the change from the others.
      try {
        listener(event);
      } catch (error) {
        this.onListenerFault(error);
      }
    }
    event.frames.clear();
    if (!event.previous) return;
    this.parsedObjects.forget(event.previous);
    this.rows.forget(event.previous);
  }

  private insert(item: CacheItem): void {
    const previous = this.byKey.get(item.key);
    this.items.set(item);
    this.byKey.set(item.key, item);
    this.index.replace(previous, item);
  }

  private remove(key: string): void {
    const previous = this.byKey.get(key);
    if (!previous) return;
    this.items.delete(key);
    this.byKey.delete(key);
    this.index.replace(previous, undefined);
  }

  /** The keys between which range() looks; without to, up to the last. */
  private bounds(prefix: string, afterKey: string): { from: string; to: string | undefined } {
    const next = `${afterKey}\0`;
    const from = afterKey === "" || next < prefix ? prefix : next;
    return { from, to: prefix === this.prefix ? undefined : `${prefix}\uffff` };
  }
}
