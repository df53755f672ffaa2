// Objects that admission has let through and the cache has not shown yet. One that is never stored is forgotten after a
// while. Decides nothing.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import { type GroupResource, groupResourceName } from "@picokube/api/resource";
import type { StorageRegistry } from "../storage/resource-storage.js";

/** How long an admitted object may take to be stored before its share is free again. */
const PENDING_MS = 5000;

interface Pending {
  readonly resource: string;
  readonly namespace: string;
  readonly object: KubernetesObject;
  readonly untilMs: number;
}

export interface PendingObjects {
  add(resource: GroupResource, namespace: string, object: KubernetesObject): void;
  of(resource: GroupResource, namespace: string): KubernetesObject[];
}

/** Keeps them by uid, which every object has before it is validated. */
export function createPendingObjects({
  storage,
  now,
}: {
  storage: StorageRegistry;
  now: () => number;
}): PendingObjects {
  const byUid = new Map<string, Pending>();
  const watched = new Set<string>();

  function watch(resource: GroupResource): void {
    const name = groupResourceName(resource);
    if (watched.has(name)) return;
    watched.add(name);
    storage.find(resource)?.onChange(({ object }) => byUid.delete(object.metadata.uid));
  }

  return {
    add(resource, namespace, object) {
      watch(resource);
      const untilMs = now() + PENDING_MS;
      byUid.set(object.metadata.uid, { resource: groupResourceName(resource), namespace, object, untilMs });
    },
    of(resource, namespace) {
      const name = groupResourceName(resource);
      for (const [uid, { untilMs }] of byUid) if (untilMs <= now()) byUid.delete(uid);
      return (
        [...byUid.values()]
          .filter((entry) => entry.resource === name && entry.namespace === namespace)
          // Where another one has the name, it was refused.
          .filter(({ object: { metadata } }) => !storage.find(resource)?.get(namespace, metadata.name))
          .map(({ object }) => object)
      );
    },
  };
}
