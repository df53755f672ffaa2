// Informers: a local, indexed copy of one resource, kept up to date by list and watch.
// Objects handed out are shared and must not be changed.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";

/** "namespace/name", or "name" for cluster-scoped objects: upstream's MetaNamespaceKeyFunc. */
export type ObjectKey = string;

export interface EventHandler<T> {
  /** initial is true for objects of the first list. */
  add?(object: T, initial: boolean): void;
  /** Also called with equal resourceVersions on a resync of the reflector. */
  update?(previous: T, current: T): void;
  /** The last known state. */
  delete?(last: T): void;
}

export interface Lister<T extends KubernetesObject> {
  get(key: ObjectKey): T | undefined;
  /** All, or those of one namespace. */
  list(namespace?: string): T[];
  /** Objects that an index function gave this value; throws if no such index was added. */
  byIndex(index: string, value: string): T[];
}

export interface Informer<T extends KubernetesObject> extends Lister<T> {
  readonly resource: Resource<T>;
  /** Returns the function that removes the handler. Objects already present are replayed to it as adds. */
  addHandler(handler: EventHandler<T>): () => void;
  /** Must be called before run. */
  addIndex(name: string, values: (object: T) => string[]): void;
  hasSynced(): boolean;
  /** Lists, watches and lists again for as long as the signal lets it. */
  run(signal: AbortSignal): Promise<void>;
}

/** One informer a resource (and selector), made at first use. */
export interface InformerFactory {
  for<T extends KubernetesObject>(
    resource: Resource<T>,
    options?: { labelSelector?: string; fieldSelector?: string; namespace?: string; metadataOnly?: boolean },
  ): Informer<T>;
  /** Runs every informer asked for so far and any asked for later. */
  start(signal: AbortSignal): void;
  /** Resolves when all informers asked for so far have synced; rejects with the signal's reason. */
  waitForSync(signal: AbortSignal): Promise<void>;
}
