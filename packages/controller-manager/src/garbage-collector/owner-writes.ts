// The collector's writes to an object's metadata: owner references and finalizers. Decides nothing.

import { isConflict, StatusError } from "@picokube/api/errors";
import type { KubernetesObject, OwnerReference } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { Client, ObjectName } from "@picokube/client/client";
import { ifThere } from "@picokube/client/if-there";
import { sameOwners } from "./delete-plan.js";

export interface Target {
  readonly resource: Resource;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly uid: string;
}

export interface OwnerWrites {
  /** The object as it is now; undefined when it is gone or its name is another's. */
  read(target: Target): Promise<KubernetesObject | undefined>;
  dropOwners(target: Target, uids: readonly string[]): Promise<void>;
  /** Sets blockOwnerDeletion to false in all references. */
  unblockOwners(target: Target): Promise<void>;
  removeFinalizer(target: Target, finalizer: string): Promise<void>;
  /** Deletes it unless its owners have changed since it was read. */
  remove(target: Target, read: KubernetesObject, policy: "Background" | "Foreground" | "Orphan"): Promise<void>;
}

const maxTries = 5;

/** Over a client; what is gone is no error. */
export function ownerWrites(client: Client): OwnerWrites {
  async function read(target: Target): Promise<KubernetesObject | undefined> {
    const found = await ifThere(client.get<KubernetesObject>(target.resource, nameOf(target)));
    return found?.metadata.uid === target.uid ? found : undefined;
  }

  // A merge patch replaces a list whole, so it carries the resourceVersion that the list was read at.
  async function change(target: Target, next: (metadata: KubernetesObject["metadata"]) => object | undefined) {
    for (let tries = 1; ; tries++) {
      const current = await read(target);
      const metadata = current && next(current.metadata);
      if (!current || !metadata) return;
      const { uid, resourceVersion } = current.metadata;
      const patch = { metadata: { uid, resourceVersion, ...metadata } };
      try {
        await ifThere(client.patch(target.resource, nameOf(target), patch, { type: "merge" }));
        return;
      } catch (error) {
        if (!isConflict(error) || tries === maxTries) throw error;
      }
    }
  }

  return {
    read,
    async dropOwners(target, uids) {
      const drops = uids.map((uid) => ({ $patch: "delete", uid }));
      const patch = { metadata: { uid: target.uid, ownerReferences: drops } };
      try {
        await ifThere(client.patch(target.resource, nameOf(target), patch, { type: "strategic" }));
      } catch (error) {
        // CustomResources know no strategic merge; another object of that name is told apart by the slow way.
        const slow = error instanceof StatusError && [415, 409, 422].includes(error.code);
        if (!slow) throw error;
        await change(target, ({ ownerReferences = [] }) => {
          const left = ownerReferences.filter(({ uid }) => !uids.includes(uid));
          return left.length === ownerReferences.length ? undefined : { ownerReferences: left };
        });
      }
    },
    unblockOwners: (target) =>
      change(target, ({ ownerReferences = [] }) => {
        const blocks = (owner: OwnerReference) => owner.blockOwnerDeletion === true;
        if (!ownerReferences.some(blocks)) return undefined;
        return { ownerReferences: ownerReferences.map((owner) => ({ ...owner, blockOwnerDeletion: false })) };
      }),
    removeFinalizer: (target, finalizer) =>
      change(target, ({ finalizers = [] }) =>
        finalizers.includes(finalizer) ? { finalizers: finalizers.filter((each) => each !== finalizer) } : undefined,
      ),
    async remove(target, { metadata }, propagationPolicy) {
      const { uid, resourceVersion, ownerReferences } = metadata;
      const remove = (preconditions: { uid: string; resourceVersion?: string }) =>
        ifThere(client.delete(target.resource, nameOf(target), { propagationPolicy, preconditions }));
      try {
        await remove({ uid, resourceVersion });
      } catch (error) {
        if (!isConflict(error)) throw error;
        const now = await read(target);
        if (!now) return;
        if (!sameOwners(now.metadata.ownerReferences, ownerReferences)) throw error;
        await remove({ uid });
      }
    },
  };
}

function nameOf({ name, namespace, resource }: Target): ObjectName {
  return resource.namespaced && namespace !== undefined ? { name, namespace } : { name };
}
