// All served resources, and the ResourceStorage view of each that plugins and strategies use. The apiserver's own writes
// start here: validated, but neither authorised nor admitted.

import { notFound } from "@picokube/api/errors";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import type { GroupResource, Resource } from "@picokube/api/resource";
import { groupResourceName } from "@picokube/api/resource";
import { byVersionPriority } from "@picokube/api/version-order";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Store } from "@picokube/store/store";
import type { RequestContext, ResourceDefinition } from "../registry/resource-definition.js";
import type { CacheFeed } from "./cache-feed.js";
import type { ResourceStorage, StorageRegistry } from "./resource-storage.js";
import { ResourceWriter } from "./resource-writer.js";
import { ServedResource } from "./served-resource.js";

const SELF = { name: "system:apiserver", groups: ["system:masters", "system:authenticated"] };

/** What the apiserver makes by itself is tracked under upstream's name for it. */
const SELF_MANAGER = "kube-apiserver";

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
  /** The declarations of all that is served: another array after each change. */
  readonly definitions: readonly ResourceDefinition[];
  /** Serves a resource by these declarations, one a version, the preferred first; its earlier ones retire. A built-in resource stays as it is. */
  serve(resource: GroupResource, definitions: readonly ResourceDefinition[]): Promise<void>;
  /** Ends what serve() began. */
  withdraw(resource: GroupResource): void;
}

/** A resource that came at run time. */
interface Served {
  readonly definitions: readonly ResourceDefinition[];
  readonly retire: AbortController;
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
  /** By storage prefix: the same objects in other versions and groups. */
  const bySiblings = new Map<string, ServedResource[]>();
  const added = new Map<string, Served>();
  let all: readonly ResourceDefinition[] = definitions;
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
    get definitions() {
      return all;
    },
    async serve(resource, declared) {
      const name = groupResourceName(resource);
      if (byName.has(name) && !added.has(name)) return;
      for (const { storagePrefix } of declared) await feed.open(storagePrefix);
      remove(name);
      const retire = new AbortController();
      added.set(name, { definitions: declared, retire });
      for (const definition of declared) add(definition, retire.signal);
      all = together();
    },
    withdraw(resource) {
      const name = groupResourceName(resource);
      const known = added.get(name);
      if (!known) return;
      remove(name);
      for (const { storagePrefix } of known.definitions) feed.close(storagePrefix);
      all = together();
    },
  };
  const context: RequestContext = {
    user: SELF,
    dryRun: false,
    storage: registry,
    now: () => clock.now(),
    warn: (message) => logger.v(2).info("warning for a write of the apiserver itself", { warning: message }),
  };
  for (const definition of definitions) add(definition);
  return registry;

  /** What came at run time stands behind the rest: by group, the preferred version first. */
  function together(): readonly ResourceDefinition[] {
    const later = [...added.values()].flatMap((each) => each.definitions).filter(({ isServed }) => isServed !== false);
    later.sort(({ resource: a }, { resource: b }) =>
      a.group === b.group ? byVersionPriority(a.version, b.version) : a.group < b.group ? -1 : 1,
    );
    return [...definitions, ...later];
  }

  function remove(name: string): void {
    const known = added.get(name);
    if (!known) return;
    added.delete(name);
    byName.delete(name);
    for (const { resource, storagePrefix } of known.definitions) {
      byVersion.delete(`${resource.version}/${name}`);
      bySiblings.delete(storagePrefix);
    }
    known.retire.abort();
  }

  function add(definition: ResourceDefinition, retired?: AbortSignal): void {
    const served = new ServedResource({ definition, feed, retired });
    const siblings = bySiblings.get(definition.storagePrefix) ?? [];
    bySiblings.set(definition.storagePrefix, siblings);
    siblings.push(served);
    served.siblings = siblings;
    const isEvent = definition.storagePrefix === "events";
    const writer = new ResourceWriter({ served, store, feed, leaseTtlSeconds: isEvent ? eventTtlSeconds : undefined });
    const entry = { served, writer, storage: storageView({ served, writer, context }) };
    if (definition.isServed !== false) byVersion.set(`${served.resource.version}/${served.qualifiedName}`, entry);
    if (!byName.has(served.qualifiedName)) byName.set(served.qualifiedName, entry);
  }
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
      return (await writer.create(copy, { namespace, context: { ...context, fieldManager: SELF_MANAGER } })).object;
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
