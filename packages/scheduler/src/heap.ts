// A binary heap with removal by key. Knows nothing of what it orders.

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #positions = new Map<string, number>();

  constructor(
    private readonly keyOf: (item: T) => string,
    private readonly isBefore: (a: T, b: T) => boolean,
  ) {}

  get size(): number {
    return this.#items.length;
  }

  get(key: string): T | undefined {
    const position = this.#positions.get(key);
    return position === undefined ? undefined : this.#items[position];
  }

  /** Adds the item, or puts it in the place of the one with its key. */
  set(item: T): void {
    const position = this.#positions.get(this.keyOf(item)) ?? this.#items.length;
    this.#put(item, position);
    this.#up(position);
    this.#down(this.#positions.get(this.keyOf(item))!);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(this.keyOf(first));
    return first;
  }

  delete(key: string): T | undefined {
    const position = this.#positions.get(key);
    if (position === undefined) return undefined;
    const removed = this.#items[position]!;
    const last = this.#items.pop()!;
    this.#positions.delete(key);
    if (position < this.#items.length) {
      this.#put(last, position);
      this.#up(position);
      this.#down(this.#positions.get(this.keyOf(last))!);
    }
    return removed;
  }

  #put(item: T, position: number): void {
    this.#items[position] = item;
    this.#positions.set(this.keyOf(item), position);
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#items[a]!, this.#items[b]!];
    this.#put(second, a);
    this.#put(first, b);
  }

  #up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(this.#items[at]!, this.#items[parent]!)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(start: number): void {
    for (let at = start; ; ) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < this.#items.length && this.isBefore(this.#items[child]!, this.#items[least]!)) least = child;
      }
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
