// What stands between a CustomResourceDefinition's deletion and its end: all its instances are deleted first
// (apiextensions-apiserver pkg/controller/finalizer). Serves nothing.

import type { CustomResourceDefinition } from "@picokube/api/apiextensions/v1";
import { isNotFound } from "@picokube/api/errors";
import { formatTime } from "@picokube/api/time";
import type { Clock } from "@picokube/component-base/clock";
import type { ResourceStorage, StorageRegistry } from "../storage/resource-storage.js";
import { type Condition, conditionOf, withCondition } from "./crd-conditions.js";

export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

type Terminating = Pick<Condition, "status" | "reason" | "message">;

const PENDING: Terminating = {
  status: "True",
  reason: "InstanceDeletionPending",
  message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
};
const IN_PROGRESS: Terminating = {
  status: "True",
  reason: "InstanceDeletionInProgress",
  message: "CustomResource deletion is in progress",
};
const COMPLETED: Terminating = {
  status: "False",
  reason: "InstanceDeletionCompleted",
  message: "removed all instances",
};
const NEVER: Terminating = {
  status: "False",
  reason: "NeverEstablished",
  message: "resource was never established",
};

/** Marks a definition whose deletion was asked for, in place (upstream: REST.Delete). */
export function markForDeletion(crd: CustomResourceDefinition, nowMs: number): void {
  if (crd.metadata.deletionTimestamp) return;
  const finalizers = crd.metadata.finalizers ?? [];
  if (!finalizers.includes(CLEANUP_FINALIZER)) crd.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
  setTerminating(crd, PENDING, nowMs);
}

function setTerminating(crd: CustomResourceDefinition, condition: Terminating, nowMs: number): void {
  const conditions = withCondition(crd.status?.conditions, { type: "Terminating", ...condition }, formatTime(nowMs));
  crd.status = { ...crd.status, conditions } as NonNullable<CustomResourceDefinition["status"]>;
}

export interface InstanceDeletion {
  /** One step: deletes what is left, or lets the definition go when nothing is. */
  advance(crd: CustomResourceDefinition): Promise<void>;
  forget(name: string): void;
}

/** again is called when a step is due. */
export function instanceDeletion({
  registry,
  crds,
  clock,
  again,
}: {
  registry: StorageRegistry;
  crds: ResourceStorage<CustomResourceDefinition>;
  clock: Clock;
  again: (name: string) => void;
}): InstanceDeletion {
  const watches = new Map<string, () => void>();

  async function deleteAll(name: string, instances: ResourceStorage): Promise<boolean> {
    if (!watches.has(name)) {
      const end = instances.onChange(({ type }) => {
        if (type === "DELETED" && instances.list().length === 0) again(name);
      });
      watches.set(name, end);
    }
    for (const { metadata } of instances.list()) {
      if (metadata.deletionTimestamp) continue;
      try {
        await instances.delete(metadata.namespace ?? "", metadata.name, { uid: metadata.uid });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    }
    return instances.list().length === 0;
  }

  async function update(name: string, change: (crd: CustomResourceDefinition) => void): Promise<void> {
    try {
      await crds.update("", name, change);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  return {
    async advance(crd) {
      const { name } = crd.metadata;
      const isEstablished = conditionOf(crd, "Established")?.status === "True";
      const { group, names } = crd.spec!;
      const instances = isEstablished ? registry.find({ group, resource: names.plural }) : undefined;
      if (instances) {
        if (conditionOf(crd, "Terminating")?.reason !== IN_PROGRESS.reason) {
          await update(name, (current) => setTerminating(current, IN_PROGRESS, clock.now()));
        }
        if (!(await deleteAll(name, instances))) return;
      }
      await update(name, (current) => {
        setTerminating(current, instances ? COMPLETED : NEVER, clock.now());
        const left = (current.metadata.finalizers ?? []).filter((finalizer) => finalizer !== CLEANUP_FINALIZER);
        current.metadata.finalizers = left;
      });
    },
    forget(name) {
      watches.get(name)?.();
      watches.delete(name);
    },
  };
}
