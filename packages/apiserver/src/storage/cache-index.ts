// Finds a cache's items by a label or a field without looking at all of them. An index is built when a selector first
// asks for it, follows every change from then on, and goes when others are asked for more. Never decides what matches.

import type { CacheItem } from "./cache-item.js";

/** One label or field, with the values of which an item has one. */
export interface IndexTerm {
  readonly source: "labels" | "fields";
  readonly name: string;
  readonly values: readonly string[];
}

/** By value, then by key. */
type Index = Map<string, Map<string, CacheItem>>;

/** Indexes kept at once. */
const MAX_INDEXES = 8;
/** Fewer items than this are looked through. */
const MIN_ITEMS = 256;
/** Sorting what an index found costs more than looking through everything when it is more than one item in so many. */
const WORTH_ONE_IN = 8;

/** All items of a cache, in key order. */
export type IndexedItems = Iterable<CacheItem> & { readonly length: number };

export class CacheIndex {
  private readonly indexes = new Map<string, { term: IndexTerm; index: Index }>();

  /** All items that fit the narrowest of the terms, in key order; undefined when it is no gain over all items. */
  find(terms: readonly IndexTerm[], items: IndexedItems): CacheItem[] | undefined {
    if (items.length < MIN_ITEMS) return undefined;
    let best: { buckets: Map<string, CacheItem>[]; size: number } | undefined;
    for (const term of terms.slice(0, MAX_INDEXES)) {
      const index = this.indexOf(term, items);
      const buckets = [...new Set(term.values)].flatMap((value) => index.get(value) ?? []);
      const size = buckets.reduce((sum, bucket) => sum + bucket.size, 0);
      if (best === undefined || size < best.size) best = { buckets, size };
    }
    if (best === undefined || best.size * WORTH_ONE_IN > items.length) return undefined;
    const found = best.buckets.flatMap((bucket) => [...bucket.values()]);
    return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  /** Follows one change: the item that went, the item that came. */
  replace(previous: CacheItem | undefined, item: CacheItem | undefined): void {
    for (const { term, index } of this.indexes.values()) {
      const before = previous && valueIn(previous, term);
      const after = item && valueIn(item, term);
      if (before !== undefined && before !== after) take(index, before, previous!.key);
      if (after !== undefined) put(index, after, item!);
    }
  }

  private indexOf(term: IndexTerm, items: IndexedItems): Index {
    const id = `${term.source}/${term.name}`;
    const known = this.indexes.get(id);
    if (known) {
      // Moved to the end: the first is the one that goes next.
      this.indexes.delete(id);
      this.indexes.set(id, known);
      return known.index;
    }
    const index: Index = new Map();
    for (const item of items) {
      const value = valueIn(item, term);
      if (value !== undefined) put(index, value, item);
    }
    this.indexes.set(id, { term, index });
    if (this.indexes.size > MAX_INDEXES) this.indexes.delete(this.indexes.keys().next().value!);
    return index;
  }
}

/** A label may be called "constructor". */
function valueIn(item: CacheItem, { source, name }: IndexTerm): string | undefined {
  const values = item[source];
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function put(index: Index, value: string, item: CacheItem): void {
  const bucket = index.get(value);
  if (bucket) bucket.set(item.key, item);
  else index.set(value, new Map([[item.key, item]]));
}

function take(index: Index, value: string, key: string): void {
  const bucket = index.get(value);
  bucket?.delete(key);
  if (bucket?.size === 0) index.delete(value);
}
