// All served resources, and the ResourceStorage view of each that plugins and strategies use. The apiserver's own writes
// start here: validated, but neither authorised nor admitted.

import { notFound } from "@picokube/api/errors";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import type { GroupResource, Resource } from "@picokube/api/resource";
import { groupResourceName } from "@picokube/api/resource";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";
import type { RequestContext, ResourceDefinition } from "../registry/resource-definition.js";
import type { CacheFeed } from "./cache-feed.js";
import type { ResourceStorage, StorageRegistry } from "./resource-storage.js";
import { ResourceWriter } from "./resource-writer.js";
import { ServedResource } from "./served-resource.js";

const SELF = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

/** A served resource with its writer and its view. */
export interface ServedStorage<T extends KubernetesObject = KubernetesObject> {
  readonly served: ServedResource<T>;
  readonly writer: ResourceWriter<T>;
  readonly storage: ResourceStorage<T>;
}

export interface ServedRegistry extends StorageRegistry {
  /** By group, version and plural name; undefined when it is not served. */
  servedFor(name: { group: string; version: string; resource: string }): ServedStorage | undefined;
  allServed(): readonly ServedStorage[];
}

/** Builds the registry; the feed is started after it. */
export function createStorageRegistry({
  definitions,
  store,
  feed,
  eventTtlSeconds,
  clock,
  logger,
}: {
  definitions: readonly ResourceDefinition[];
  store: Store;
  feed: CacheFeed;
  eventTtlSeconds: number;
  clock: Clock;
  logger: Logger;
}): ServedRegistry {
  const byVersion = new Map<string, ServedStorage>();
  const byName = new Map<string, ServedStorage>();
  const registry: ServedRegistry = {
    for<T extends KubernetesObject>(resource: Resource<T>) {
      const found = byVersion.get(`${resource.version}/${groupResourceName(resource)}`);
      if (!found) throw notFound(resource, resource.resource);
      return found.storage as unknown as ResourceStorage<T>;
    },
    find: (resource: GroupResource) => byName.get(groupResourceName(resource))?.storage,
    all: () => [...byVersion.values()].map(({ storage }) => storage),
    servedFor: (name) => byVersion.get(`${name.version}/${groupResourceName(name)}`),
    allServed: () => [...byVersion.values()],
  };
  const context: RequestContext = {
    user: SELF,
    dryRun: false,
    storage: registry,
    now: () => clock.now(),
    warn: (message) => logger.v(2).info("warning for a write of the apiserver itself", { warning: message }),
  };
  for (const definition of definitions) {
    const served = new ServedResource({ definition, feed });
    const isEvent = definition.storagePrefix === "events";
    const writer = new ResourceWriter({ served, store, feed, leaseTtlSeconds: isEvent ? eventTtlSeconds : undefined });
    const entry = { served, writer, storage: storageView({ served, writer, context }) };
    byVersion.set(`${served.resource.version}/${served.qualifiedName}`, entry);
    if (!byName.has(served.qualifiedName)) byName.set(served.qualifiedName, entry);
  }
  return registry;
}

function storageView<T extends KubernetesObject>({
  served,
  writer,
  context,
}: {
  served: ServedResource<T>;
  writer: ResourceWriter<T>;
  context: RequestContext;
}): ResourceStorage<T> {
  return {
    resource: served.resource,
    get(namespace, name) {
      const item = served.cache.get(served.keyOf(namespace, name));
      return item && served.objectOf(item);
    },
    list: (namespace = "") => served.cache.range(served.prefixOf(namespace)).map((item) => served.objectOf(item)),
    onChange: (handler) =>
      served.cache.subscribe(({ type, item, previous }) =>
        handler({ type, object: served.objectOf(item), previous: previous && served.objectOf(previous) }),
      ),
    async create(object: NewObject<T>) {
      const copy = structuredClone({ metadata: {}, ...object }) as unknown as T;
      const namespace = copy.metadata.namespace ?? "";
      return (await writer.create(copy, { namespace, context })).object;
    },
    async update(namespace, name, mutate) {
      const transform = (current: T) => {
        mutate(current);
        return current;
      };
      return (await writer.update({ namespace, name, transform, context })).object;
    },
    async delete(namespace, name, preconditions) {
      const deleteOptions = { gracePeriodSeconds: 0, ...(preconditions ? { preconditions } : {}) };
      await writer.delete({ namespace, name, deleteOptions, context });
    },
  };
}
