// What the rest of the apiserver reads and writes objects through: the watch cache for reads, the store for writes.
// Plugins (admission, authorisation, subresources) know this interface only, never the store.

import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import type { GroupResource, Resource } from "@picokube/api/resource";

export interface ResourceStorage<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>;
  /** From the cache, parsed and remembered per revision. Shared: must not be changed. namespace "" when cluster-scoped. */
  get(namespace: string, name: string): T | undefined;
  list(namespace?: string): T[];
  /** Called for each change after the cache has it, in revision order; returns the function that ends it. */
  onChange(
    handler: (change: { type: "ADDED" | "MODIFIED" | "DELETED"; object: T; previous: T | undefined }) => void,
  ): () => void;
  /** Writes of the apiserver itself: defaulting and validation run, authorisation and admission do not. Throw StatusErrors. */
  create(object: NewObject<T>): Promise<T>;
  /** Reads, lets mutate change a private copy, writes; retries on conflict. Throws notFound. */
  update(namespace: string, name: string, mutate: (object: T) => void): Promise<T>;
  delete(namespace: string, name: string, preconditions?: { uid?: string; resourceVersion?: string }): Promise<void>;
}

export interface StorageRegistry {
  /** Throws for a resource that is not served. */
  for<T extends KubernetesObject>(resource: Resource<T>): ResourceStorage<T>;
  find(resource: GroupResource): ResourceStorage | undefined;
  all(): readonly ResourceStorage[];
}
