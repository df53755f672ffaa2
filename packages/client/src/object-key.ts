// Keys of objects: "namespace/name", or "name" for cluster-scoped ones. Pure.

import type { ObjectKey } from "./informer.js";

/** Upstream's MetaNamespaceKeyFunc. */
export function keyOf({ metadata }: { metadata: { name?: string; namespace?: string } }): ObjectKey {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : (metadata.name ?? "");
}

/** Upstream's SplitMetaNamespaceKey. */
export function splitKey(key: ObjectKey): { namespace?: string; name: string } {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
