// What an owner's dependents are right now, by the server's word: each kind's watch comes at its own pace, so that the
// graph may show an owner's end before a dependent's beginning. Changes nothing.

import { StatusError } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { groupResourceName, type Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Logger } from "@picokube/component-base/logger";
import type { Target } from "./owner-writes.js";

const busy = new Set([429, 504]);

/** Asks for every resource that may hold some: those of the owner's namespace, or all for one without a namespace. */
export async function liveDependents({
  client,
  owner,
  resources,
  logger,
  signal,
}: {
  client: Client;
  owner: Pick<Target, "uid" | "namespace">;
  resources: readonly Resource[];
  logger: Logger;
  signal: AbortSignal;
}): Promise<Target[]> {
  const { uid: ownerUid, namespace } = owner;
  const possible = namespace === undefined ? resources : resources.filter(({ namespaced }) => namespaced);
  const listed = await Promise.all(
    possible.map(async (resource) => {
      const items = await metadataOf({ client, resource, namespace, logger, signal });
      const owned = items.filter(({ ownerReferences = [] }) => ownerReferences.some(({ uid }) => uid === ownerUid));
      return owned.map(({ name, namespace, uid }) => ({ resource, name, namespace, uid }));
    }),
  );
  return listed.flat();
}

async function metadataOf({
  client,
  resource,
  namespace,
  logger,
  signal,
}: {
  client: Client;
  resource: Resource;
  namespace: string | undefined;
  logger: Logger;
  signal: AbortSignal;
}): Promise<KubernetesObject["metadata"][]> {
  const within = namespace === undefined ? {} : { namespace };
  try {
    const { items } = await client.list<KubernetesObject>(resource, { ...within, metadataOnly: true, signal });
    return items.map(({ metadata }) => metadata);
  } catch (error) {
    // A server that is away or busy is asked again. A resource that went away, or whose own server or conversion is
    // broken, must not hold up all others: of its objects the graph alone tells.
    if (!(error instanceof StatusError) || busy.has(error.code)) throw error;
    logger.v(2).info("Dependents could not be listed", { resource: groupResourceName(resource), err: error });
    return [];
  }
}
