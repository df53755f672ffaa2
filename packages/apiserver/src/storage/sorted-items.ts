// The items of a watch cache in byte order of their keys, in chunks: one more or one less among a hundred thousand moves a few
// hundred, not all. Knows no resource.

import type { CacheItem } from "./cache-item.js";

const CHUNK_SIZE = 512;

interface Place {
  readonly chunk: number;
  readonly offset: number;
}

export class SortedItems {
  // No chunk is empty but the only one.
  private chunks: CacheItem[][] = [[]];
  private size = 0;

  get length(): number {
    return this.size;
  }

  *[Symbol.iterator](): Iterator<CacheItem> {
    for (const chunk of this.chunks) yield* chunk;
  }

  /** Puts the item in its place, or in that of the one with its key. */
  set(item: CacheItem): void {
    const { chunk: index, offset } = this.place(item.key);
    const chunk = this.chunks[index]!;
    if (chunk[offset]?.key === item.key) {
      chunk[offset] = item;
      return;
    }
    chunk.splice(offset, 0, item);
    this.size++;
    if (chunk.length > CHUNK_SIZE) this.chunks.splice(index + 1, 0, chunk.splice(CHUNK_SIZE / 2));
  }

  /** Does nothing when there is no such key. */
  delete(key: string): void {
    const { chunk: index, offset } = this.place(key);
    const chunk = this.chunks[index]!;
    if (chunk[offset]?.key !== key) return;
    chunk.splice(offset, 1);
    this.size--;
    if (chunk.length === 0 && this.chunks.length > 1) this.chunks.splice(index, 1);
  }

  /** Items with from <= key < to, at most that many; without to, all to the end. */
  slice(from: string, to: string | undefined, limit = Number.POSITIVE_INFINITY): CacheItem[] {
    const start = this.place(from);
    const end = to === undefined ? this.end() : this.place(to);
    const items: CacheItem[] = [];
    for (let index = start.chunk; index <= end.chunk && items.length < limit; index++) {
      const chunk = this.chunks[index]!;
      const first = index === start.chunk ? start.offset : 0;
      const last = Math.min(index === end.chunk ? end.offset : chunk.length, first + limit - items.length);
      for (let offset = first; offset < last; offset++) items.push(chunk[offset]!);
    }
    return items;
  }

  /** How many slice() has without a limit. */
  count(from: string, to: string | undefined): number {
    const start = this.place(from);
    const end = to === undefined ? this.end() : this.place(to);
    if (start.chunk > end.chunk) return 0;
    if (start.chunk === end.chunk) return Math.max(0, end.offset - start.offset);
    let count = this.chunks[start.chunk]!.length - start.offset + end.offset;
    for (let index = start.chunk + 1; index < end.chunk; index++) count += this.chunks[index]!.length;
    return count;
  }

  private end(): Place {
    const chunk = this.chunks.length - 1;
    return { chunk, offset: this.chunks[chunk]!.length };
  }

  /** Where the first item stands whose key is not below the given one: at the end of the last chunk when there is none. */
  private place(key: string): Place {
    const isBelow = (item: CacheItem | undefined) => item !== undefined && item.key < key;
    const chunk = lowerBound(this.chunks.length - 1, (index) => isBelow(this.chunks[index]!.at(-1)));
    const items = this.chunks[chunk]!;
    return { chunk, offset: lowerBound(items.length, (index) => isBelow(items[index])) };
  }
}

/** The first index below length that is not below, or length. */
function lowerBound(length: number, isBelow: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBelow(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
