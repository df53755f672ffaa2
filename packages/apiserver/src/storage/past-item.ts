// An object as the store's history has it, in the shape of a cached one. Caches nothing.

import type { KeyValue } from "@picokube/store/store";
import type { CacheItem } from "./cache-item.js";
import { spliceRevision } from "./codec.js";
import type { ServedResource } from "./served-resource.js";

/** The item of a state that the cache does not hold; revision is another one for what was deleted. Throws when it cannot be read. */
export function pastItem(
  served: ServedResource,
  { key, value, modRevision, fault }: KeyValue,
  revision = modRevision,
): CacheItem {
  if (fault) throw fault;
  const bytes = spliceRevision(value, revision);
  const object = served.copyOf({ bytes });
  const { name, namespace = "", labels = {} } = object.metadata;
  const item = { key, name, namespace, revision, bytes, labels, fields: served.fieldsOf(object) };
  return { ...item, parsed: served.definition.storedAs ? undefined : object };
}
