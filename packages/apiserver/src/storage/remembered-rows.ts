// Which cached items keep the row that they are shown as: the longest remembered lose it. Makes no rows.

import type { CacheItem, RememberedRow } from "./cache-item.js";

export class RememberedRows {
  private readonly items = new Set<CacheItem>();
  private readonly limit: number;

  constructor({ limit }: { limit: number }) {
    this.limit = limit;
  }

  remember(item: CacheItem, row: RememberedRow): void {
    item.row = row;
    this.items.add(item);
    if (this.items.size <= this.limit) return;
    this.forget(this.items.values().next().value!);
  }

  /** The item is no longer current, or has been remembered for long enough. */
  forget(item: CacheItem): void {
    if (this.items.delete(item)) item.row = undefined;
  }
}
