// Which cached items keep their parsed object: the least recently used lose it. One bound for the whole server, so that
// memory does not grow with the number of kinds. Never parses.

import type { CacheItem } from "./cache-item.js";

export class ParsedObjects {
  private readonly recent = new Set<CacheItem>();
  private readonly limit: number;

  constructor({ limit }: { limit: number }) {
    this.limit = limit;
  }

  touch(item: CacheItem): void {
    this.recent.delete(item);
    this.recent.add(item);
    if (this.recent.size > this.limit) {
      const oldest = this.recent.values().next().value!;
      oldest.parsed = undefined;
      this.recent.delete(oldest);
    }
  }

  /** The item is no longer current: its object goes. */
  forget(item: CacheItem): void {
    if (this.recent.delete(item)) item.parsed = undefined;
  }
}
