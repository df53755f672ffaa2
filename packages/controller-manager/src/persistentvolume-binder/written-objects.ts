// What the binder wrote, for as long as its informer has not caught up: binding takes four writes, and each must see the
// one before. Upstream's storeObjectUpdate.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";

const revisionOf = ({ metadata }: KubernetesObject) => BigInt(metadata.resourceVersion);

/** Reads an informer, and its own writes where they are newer. */
export class WrittenObjects<T extends KubernetesObject> {
  readonly #informer: Informer<T>;
  readonly #written = new Map<ObjectKey, T>();

  constructor(informer: Informer<T>) {
    this.#informer = informer;
  }

  get(key: ObjectKey): T | undefined {
    const cached = this.#informer.get(key);
    const written = this.#written.get(key);
    if (!written) return cached;
    const behind = cached?.metadata.uid === written.metadata.uid && revisionOf(cached) < revisionOf(written);
    if (behind) return written;
    this.#written.delete(key);
    return cached;
  }

  list(): T[] {
    return this.#informer.list().map((cached) => this.get(keyOf(cached)) ?? cached);
  }

  /** Remembers the server's answer and gives it back. */
  remember(object: T): T {
    this.#written.set(keyOf(object), object);
    return object;
  }
}
