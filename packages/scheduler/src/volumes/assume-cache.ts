// An informer with what this process takes as written already: upstream's assume cache. An assumption holds until the
// informer shows anything newer than what it was made from.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";

export class AssumeCache<T extends KubernetesObject> {
  readonly #informer: Informer<T>;
  readonly #assumed = new Map<ObjectKey, T>();

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  get(key: ObjectKey): T | undefined {
    const assumed = this.#assumed.get(key);
    const known = this.#informer.get(key);
    if (!assumed) return known;
    if (known?.metadata.resourceVersion === assumed.metadata.resourceVersion) return assumed;
    this.#assumed.delete(key);
    return known;
  }

  list(): T[] {
    return this.#informer.list().map((known) => this.get(keyOf(known)) ?? known);
  }

  /** The object must be a changed copy of what get returned, with its resourceVersion. */
  assume(object: T): void {
    this.#assumed.set(keyOf(object), object);
  }

  /** Takes that very assumption back; one made since stays. */
  restore(object: T): void {
    if (this.#assumed.get(keyOf(object)) === object) this.#assumed.delete(keyOf(object));
  }
}
