// One resource as it is served: its definition beside the cache of its stored objects, with the conversion between the
// two when another version is stored. Knows no verb.

import { internalError, notFound } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { apiVersionOf, groupResourceName, type Resource } from "@picokube/api/resource";
import type { ResourceDefinition, Verb } from "../registry/resource-definition.js";
import type { CacheFeed } from "./cache-feed.js";
import type { CacheItem } from "./cache-item.js";
import { encodeObject, parseObject, spliceRevision } from "./codec.js";
import type { WatchCache } from "./watch-cache.js";

const ALL_VERBS: readonly Verb[] = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

export class ServedResource<T extends KubernetesObject = KubernetesObject> {
  readonly definition: ResourceDefinition<T>;
  readonly resource: Resource<T>;
  readonly cache: WatchCache;
  readonly apiVersion: string;
  readonly kind: string;
  readonly verbs: readonly Verb[];
  /** "deployments.apps". */
  readonly qualifiedName: string;
  /** Aborts when it is served no longer, or otherwise than here: watches end. Never, for built-in kinds. */
  readonly retired: AbortSignal | undefined;
  /** All that serve the same stored objects, this one among them; the registry says so. */
  siblings: readonly ServedResource[] = [];
  private readonly converted = new WeakMap<CacheItem, Buffer>();

  constructor({
    definition,
    feed,
    retired,
  }: {
    definition: ResourceDefinition<T>;
    feed: CacheFeed;
    retired?: AbortSignal | undefined;
  }) {
    this.definition = definition;
    this.retired = retired;
    this.resource = definition.resource;
    this.apiVersion = apiVersionOf(definition.resource);
    this.kind = definition.resource.kind;
    this.verbs = definition.verbs ?? ALL_VERBS;
    this.qualifiedName = groupResourceName(definition.resource);
    const selectable = Object.entries(definition.selectableFields ?? {});
    const fieldsOf = (object: KubernetesObject) =>
      Object.fromEntries(selectable.map(([field, read]) => [field, read(object as T)]));
    this.cache = feed.cacheFor(
      definition.storagePrefix,
      selectable.length > 0 && !definition.storedAs ? fieldsOf : undefined,
    );
  }

  /** The store's key of one object. */
  keyOf(namespace: string, name: string): string {
    return `${this.prefixOf(namespace)}${name}`;
  }

  /** What the keys of a namespace's objects begin with; "" is all namespaces. */
  prefixOf(namespace: string): string {
    return this.resource.namespaced && namespace !== "" ? `${this.cache.prefix}${namespace}/` : this.cache.prefix;
  }

  /** What to say of an object that is not in the cache: 404, or 500 when it is stored but cannot be read. */
  absent(namespace: string, name: string): Error {
    const fault = this.cache.unreadable.get(this.keyOf(namespace, name));
    return fault ? internalError(fault) : notFound(this.resource, name);
  }

  /** Throws 500 when an object whose key has the prefix is stored but cannot be read, as upstream's lists do. */
  checkReadable(prefix: string): void {
    for (const [key, fault] of this.cache.unreadable) if (key.startsWith(prefix)) throw internalError(fault);
  }

  /** What goes over the wire for the item. */
  bytesOf(item: CacheItem): Buffer {
    if (!this.definition.storedAs) return item.bytes;
    let bytes = this.converted.get(item);
    if (bytes === undefined) {
      bytes = spliceRevision(encodeObject(this.copyOf(item)), item.revision);
      // Most custom resources are stored as they are served: no second copy of them is kept.
      if (bytes.equals(item.bytes)) bytes = item.bytes;
      this.converted.set(item, bytes);
    }
    return bytes;
  }

  /** The item's object. Shared when nothing is converted: must not be changed. */
  objectOf(item: CacheItem): T {
    const { storedAs, custom } = this.definition;
    const isStored = !storedAs || (custom !== undefined && this.bytesOf(item) === item.bytes);
    return isStored ? this.cache.object<T>(item) : this.copyOf(item);
  }

  /** A private copy of the item's object. */
  copyOf(item: { readonly bytes: Buffer }): T {
    return this.fromStored(parseObject(item.bytes));
  }

  /** A private stored object in this resource's version. */
  fromStored(object: KubernetesObject): T {
    if (!this.definition.storedAs) return object as T;
    return { ...this.definition.storedAs.fromStored(object), kind: this.kind, apiVersion: this.apiVersion };
  }

  /** The object as it is stored; shares structure with the argument. */
  toStored(object: T): KubernetesObject {
    const { storedAs } = this.definition;
    if (!storedAs) return { ...object, kind: this.kind, apiVersion: this.apiVersion };
    const { resource } = storedAs;
    return { ...storedAs.toStored(object), kind: resource.kind, apiVersion: apiVersionOf(resource) };
  }

  /** The object in the version of a sibling; undefined when there is none of that version. Leaves the object as it is. */
  inVersion(object: T, apiVersion: string): KubernetesObject | undefined {
    const sibling = this.siblings.find((each) => each.apiVersion === apiVersion);
    return sibling?.fromStored(structuredClone(this.toStored(object)));
  }

  /** Selectable fields of an object that is not in the cache. */
  fieldsOf(object: T): { [field: string]: string } {
    const { name, namespace = "" } = object.metadata;
    const fields: { [field: string]: string } = { "metadata.name": name, "metadata.namespace": namespace };
    for (const [field, read] of Object.entries(this.definition.selectableFields ?? {})) fields[field] = read(object);
    return fields;
  }
}
