// Which resource a key of the store belongs to, by upstream's key layout. Reads nothing.

import type { ResourceDefinition } from "../registry/resource-definition.js";
import { REGISTRY_PREFIX } from "../storage/cache-feed.js";
import type { ResourceOfKey } from "./encrypted-store.js";

/** Built-in kinds by their storage prefix ("secrets", "services/specs"), custom resources by group and name. */
export function resourceOfKeys(definitions: readonly ResourceDefinition[]): ResourceOfKey {
  const byPrefix = new Map(
    definitions
      .filter(({ storedAs }) => storedAs === undefined)
      .map(({ storagePrefix, resource }) => [storagePrefix, { group: resource.group, resource: resource.resource }]),
  );
  return (key) => {
    if (!key.startsWith(REGISTRY_PREFIX)) return undefined;
    const [first = "", second = ""] = key.slice(REGISTRY_PREFIX.length).split("/", 2);
    const found = byPrefix.get(first) ?? byPrefix.get(`${first}/${second}`);
    if (found) return found;
    return first.includes(".") ? { group: first, resource: second } : undefined;
  };
}
