// Informers and their factory: a reflector, an indexer and the handlers that hear of each change.

import { setMaxListeners } from "node:events";
import type { KubernetesObject, WatchEvent } from "@picokube/api/meta/v1";
import { groupResourceName, type Resource } from "@picokube/api/resource";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Client, ListOptions } from "./client.js";
import { Indexer } from "./indexer.js";
import type { EventHandler, Informer, InformerFactory } from "./informer.js";
import { keyOf } from "./object-key.js";
import { runReflector } from "./reflector.js";

export interface InformerDependencies {
  readonly client: Client;
  readonly logger: Logger;
  readonly clock: Clock;
}

type Selection = Pick<ListOptions, "labelSelector" | "fieldSelector" | "namespace" | "metadataOnly">;

/** One informer on its own; processes usually ask a factory. */
export class SharedInformer<T extends KubernetesObject> implements Informer<T> {
  readonly resource: Resource<T>;
  readonly #dependencies: InformerDependencies;
  readonly #selection: Selection;
  readonly #indexer = new Indexer<T>();
  readonly #handlers = new Set<EventHandler<T>>();
  #running: Promise<void> | undefined;
  #synced = false;
  readonly #waiters = new Set<() => void>();

  constructor(resource: Resource<T>, dependencies: InformerDependencies, selection: Selection = {}) {
    this.resource = resource;
    this.#dependencies = dependencies;
    this.#selection = selection;
  }

  get = (key: string) => this.#indexer.get(key);
  list = (namespace?: string) => this.#indexer.list(namespace);
  byIndex = (index: string, value: string) => this.#indexer.byIndex(index, value);
  hasSynced = () => this.#synced;

  addIndex(name: string, values: (object: T) => string[]): void {
    this.#indexer.addIndex(name, values);
  }

  addHandler(handler: EventHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#indexer.list()) this.#tell([handler], (to) => to.add?.(object, true));
    return () => void this.#handlers.delete(handler);
  }

  run(signal: AbortSignal): Promise<void> {
    this.#running ??= runReflector({
      ...this.#dependencies,
      resource: this.resource,
      selection: this.#selection,
      signal,
      store: { replace: (items) => this.#replace(items), apply: (event) => this.#apply(event) },
    }).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Resolves once the first list is in and every handler has heard of it. */
  whenSynced(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#synced) return resolve();
      if (signal.aborted) return reject(signal.reason);
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiters.add(() => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      });
    });
  }

  #replace(items: readonly T[]): void {
    const initial = !this.#synced;
    const gone = new Set(this.#indexer.keys());
    for (const item of items) {
      gone.delete(keyOf(item));
      this.#put(item, initial);
    }
    for (const key of gone) this.#remove(key);
    this.#synced = true;
    for (const resolve of this.#waiters) resolve();
    this.#waiters.clear();
  }

  #apply({ type, object }: WatchEvent<T>): void {
    if (type === "DELETED") this.#remove(keyOf(object), object);
    else this.#put(object, false);
  }

  #put(object: T, initial: boolean): void {
    const previous = this.#indexer.set(object);
    const same = previous?.metadata.uid === object.metadata.uid;
    // Deleted and made anew while nobody watched: two things happened, not a change.
    if (previous && !same) this.#tell(this.#handlers, (to) => to.delete?.(previous));
    if (previous && same) this.#tell(this.#handlers, (to) => to.update?.(previous, object));
    else this.#tell(this.#handlers, (to) => to.add?.(object, initial));
  }

  #remove(key: string, last?: T): void {
    const previous = this.#indexer.delete(key);
    const final = last ?? previous;
    if (previous && final) this.#tell(this.#handlers, (to) => to.delete?.(final));
  }

  #tell(handlers: Iterable<EventHandler<T>>, what: (to: EventHandler<T>) => void): void {
    for (const handler of handlers)
      try {
        what(handler);
      } catch (error) {
        const stack = error instanceof Error ? error.stack : undefined;
        this.#dependencies.logger.error("Informer handler failed", {
          resource: this.resource.resource,
          err: error,
          stack,
        });
      }
  }
}

/** One informer a resource and selection, shared by all who ask. */
export function createInformerFactory(dependencies: InformerDependencies): InformerFactory {
  const informers = new Map<string, SharedInformer<KubernetesObject>>();
  let running: AbortSignal | undefined;
  return {
    for<T extends KubernetesObject>(resource: Resource<T>, selection: Selection = {}): Informer<T> {
      const { labelSelector = "", fieldSelector = "", namespace = "", metadataOnly = false } = selection;
      const id = JSON.stringify([
        groupResourceName(resource),
        resource.version,
        labelSelector,
        fieldSelector,
        namespace,
        metadataOnly,
      ]);
      let informer = informers.get(id);
      if (!informer) {
        informer = new SharedInformer<KubernetesObject>(resource, dependencies, selection);
        informers.set(id, informer);
        if (running) void informer.run(running);
      }
      return informer as unknown as Informer<T>;
    },
    start(signal) {
      running = signal;
      // Every watch listens for the end: that many listeners are no leak.
      setMaxListeners(0, signal);
      for (const informer of informers.values()) void informer.run(signal);
    },
    async waitForSync(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.whenSynced(signal)));
    },
  };
}
