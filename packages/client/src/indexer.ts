// A map of objects with indexes over them: upstream's thread-safe store. Knows nothing of servers.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Lister, ObjectKey } from "./informer.js";
import { keyOf } from "./object-key.js";

interface Index<T> {
  readonly valuesOf: (object: T) => string[];
  readonly keys: Map<string, Set<ObjectKey>>;
}

const byNamespace = "namespace";

/** Objects by key, listed by namespace or by any index added. */
export class Indexer<T extends KubernetesObject> implements Lister<T> {
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor() {
    this.addIndex(byNamespace, ({ metadata }) => (metadata.namespace ? [metadata.namespace] : []));
  }

  addIndex(name: string, valuesOf: (object: T) => string[]): void {
    const index: Index<T> = { valuesOf, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(key);
  }

  list(namespace?: string): T[] {
    return namespace === undefined ? [...this.#objects.values()] : this.byIndex(byNamespace, namespace);
  }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (!index) throw new Error(`Index with name ${name} does not exist`);
    return [...(index.keys.get(value) ?? [])].map((key) => this.#objects.get(key)!);
  }

  keys(): ObjectKey[] {
    return [...this.#objects.keys()];
  }

  /** Returns what stood under the object's key before. */
  set(object: T): T | undefined {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    for (const index of this.#indexes.values()) {
      if (previous) leave(index, key, previous);
      enter(index, key, object);
    }
    this.#objects.set(key, object);
    return previous;
  }

  delete(key: ObjectKey): T | undefined {
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    for (const index of this.#indexes.values()) leave(index, key, previous);
    this.#objects.delete(key);
    return previous;
  }
}

function enter<T>({ valuesOf, keys }: Index<T>, key: ObjectKey, object: T): void {
  for (const value of valuesOf(object)) {
    const set = keys.get(value);
    if (set) set.add(key);
    else keys.set(value, new Set([key]));
  }
}

function leave<T>({ valuesOf, keys }: Index<T>, key: ObjectKey, object: T): void {
  for (const value of valuesOf(object)) {
    const set = keys.get(value);
    set?.delete(key);
    if (set?.size === 0) keys.delete(value);
  }
}
