// Which objects a controller's object owns: adopts orphans that its selector matches, releases what it no longer matches.
// Upstream's ControllerRefManager.

import { isInvalid, isNotFound } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import { controllerOf } from "@picokube/api/owner";
import type { Resource } from "@picokube/api/resource";
import type { Selector } from "@picokube/api/selectors/labels";
import type { Client } from "@picokube/client/client";

export type Claim = "own" | "adopt" | "release" | "ignore";

/** What an owner should do with an object. Not being a member counts as not being selected. */
export function claimOf<T extends KubernetesObject>({
  owner,
  selector,
  object,
  member = () => true,
}: {
  owner: KubernetesObject;
  selector: Selector;
  object: T;
  member?: (object: T) => boolean;
}): Claim {
  const controller = controllerOf(object);
  const matches = selector.matches(object.metadata.labels) && member(object);
  if (controller) {
    if (controller.uid !== owner.metadata.uid) return "ignore";
    if (matches) return "own";
    return owner.metadata.deletionTimestamp ? "ignore" : "release";
  }
  if (!matches || owner.metadata.deletionTimestamp || object.metadata.deletionTimestamp) return "ignore";
  return owner.metadata.namespace === object.metadata.namespace ? "adopt" : "ignore";
}

/** Claims the candidates on the server and returns those that are the owner's. */
export async function claim<T extends KubernetesObject>({
  client,
  resource,
  owner,
  ownerResource,
  reference,
  selector,
  candidates,
  member = () => true,
  finalizers,
}: {
  client: Client;
  resource: Resource<T>;
  owner: KubernetesObject;
  ownerResource: Resource;
  reference: OwnerReference;
  selector: Selector;
  candidates: readonly T[];
  member?: (object: T) => boolean;
  /** Put on what is adopted, taken off what is released. */
  finalizers?: readonly string[];
}): Promise<T[]> {
  const owned: T[] = [];
  let fresh: Promise<void> | undefined;
  for (const object of candidates) {
    const verdict = claimOf({ owner, selector, object, member });
    const { name, namespace, uid } = object.metadata;
    const where = { name, ...(namespace ? { namespace } : {}) };
    if (verdict === "own") owned.push(object);
    if (verdict === "adopt") {
      fresh ??= assertAlive({ client, owner, ownerResource });
      await fresh;
      const patch = { metadata: { ownerReferences: [reference], uid, ...(finalizers ? { finalizers } : {}) } };
      const adopted = await ignoreGone(client.patch(resource, where, patch, { type: "strategic" }));
      if (adopted) owned.push(adopted);
    }
    if (verdict === "release") {
      const release = { ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }], uid };
      const off = finalizers ? { "$deleteFromPrimitiveList/finalizers": finalizers } : {};
      const patch = { metadata: { ...release, ...off } };
      await ignoreGone(client.patch(resource, where, patch, { type: "strategic" }));
    }
  }
  return owned;
}

// The cache may be behind: an owner that is going away must not adopt.
async function assertAlive({
  client,
  owner,
  ownerResource,
}: {
  client: Client;
  owner: KubernetesObject;
  ownerResource: Resource;
}): Promise<void> {
  const { name, namespace, uid } = owner.metadata;
  const fresh = await client.get(ownerResource, { name, ...(namespace ? { namespace } : {}) });
  if (fresh.metadata.uid !== uid)
    throw new Error(
      `original ${ownerResource.kind} ${namespace}/${name} is gone: got uid ${fresh.metadata.uid}, wanted ${uid}`,
    );
  if (fresh.metadata.deletionTimestamp)
    throw new Error(`${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
}

// Gone, or another object of the same name by now (the uid in the patch then makes it invalid).
async function ignoreGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error) || isInvalid(error)) return undefined;
    throw error;
  }
}
