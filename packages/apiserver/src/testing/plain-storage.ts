// A StorageRegistry over plain objects: data for unit tests of what only reads storage or writes without strategy. The
// real one is tested with the store.

import { alreadyExists, notFound } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type GroupResource, groupResourceName, type Resource } from "@picokube/api/resource";
import type { ResourceStorage, StorageRegistry } from "../storage/resource-storage.js";

/** A registry with these objects; each needs at least metadata.name. */
export function plainStorage(...content: [Resource, ...object[]][]): StorageRegistry {
  const storages = new Map<string, ResourceStorage>();
  let revision = 0;
  const storageOf = (resource: Resource): ResourceStorage => {
    const known = storages.get(groupResourceName(resource));
    if (known) return known;
    const objects = new Map<string, KubernetesObject>();
    const handlers = new Set<Parameters<ResourceStorage["onChange"]>[0]>();
    const tell = (change: Parameters<Parameters<ResourceStorage["onChange"]>[0]>[0]) => {
      for (const handler of handlers) handler(change);
    };
    const key = (namespace: string, name: string) => `${namespace}/${name}`;
    const made: ResourceStorage = {
      resource,
      get: (namespace, name) => objects.get(key(namespace, name)),
      list: (namespace) =>
        [...objects.values()].filter(({ metadata }) => !namespace || metadata.namespace === namespace),
      onChange(handler) {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
      async create(object) {
        const copy = structuredClone(object) as KubernetesObject;
        const at = key(copy.metadata.namespace ?? "", copy.metadata.name);
        if (objects.has(at)) throw alreadyExists(resource, copy.metadata.name);
        copy.metadata.uid ??= `uid-${copy.metadata.name}`;
        copy.metadata.resourceVersion = String(++revision);
        objects.set(at, copy);
        tell({ type: "ADDED", object: copy, previous: undefined });
        return copy;
      },
      async update(namespace, name, mutate) {
        const previous = objects.get(key(namespace, name));
        if (!previous) throw notFound(resource, name);
        const object = structuredClone(previous);
        mutate(object);
        object.metadata.resourceVersion = String(++revision);
        objects.set(key(namespace, name), object);
        tell({ type: "MODIFIED", object, previous });
        return object;
      },
      async delete(namespace, name) {
        const previous = objects.get(key(namespace, name));
        if (!previous) throw notFound(resource, name);
        objects.delete(key(namespace, name));
        tell({ type: "DELETED", object: previous, previous });
      },
    };
    storages.set(groupResourceName(resource), made);
    return made;
  };
  for (const [resource, ...objects] of content) {
    const storage = storageOf(resource);
    for (const object of objects) void storage.create(object as KubernetesObject);
  }
  return {
    for: (resource) => storageOf(resource as Resource) as never,
    find: (resource: GroupResource) => storageOf(resource as Resource),
    all: () => [...storages.values()],
  };
}
