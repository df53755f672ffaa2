// Making an object exist, whoever makes it first. Writes nothing that is already right.

import { isAlreadyExists } from "@picokube/api/errors";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { StorageRegistry } from "../storage/resource-storage.js";

/** Creates the object unless it exists; the one that stands is returned. */
export async function ensure<T extends KubernetesObject>(
  storage: StorageRegistry,
  resource: Resource<T>,
  wanted: NewObject<T> & { metadata: { name: string; namespace?: string } },
): Promise<T> {
  const stored = storage.for(resource);
  const { name, namespace = "" } = wanted.metadata;
  const existing = stored.get(namespace, name);
  if (existing) return existing;
  try {
    return await stored.create(wanted);
  } catch (error) {
    const other = isAlreadyExists(error) ? stored.get(namespace, name) : undefined;
    if (!other) throw error;
    return other;
  }
}
