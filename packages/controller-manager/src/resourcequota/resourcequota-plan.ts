// What a ResourceQuota's status should say, counted from all objects that it bounds. Pure.

import { type Pod, pods, type ResourceQuota } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { Quantity } from "@picokube/api/quantity";
import { quotaCovers } from "@picokube/api/quota-scope";
import { podChargeEndMs, resourceOfBound, usageOf } from "@picokube/api/quota-usage";
import { type GroupResource, groupResourceName } from "@picokube/api/resource";

type ObjectsOf = (resource: GroupResource) => readonly KubernetesObject[];

/** The kinds of objects that a quota bounds, each once. */
export function boundResources(quota: ResourceQuota): GroupResource[] {
  const all = Object.keys(quota.spec?.hard ?? {}).map(resourceOfBound);
  return [...new Map(all.map((resource) => [groupResourceName(resource), resource])).values()].filter(
    ({ resource }) => resource !== "events",
  );
}

/** Hard as the spec has it, used as it is; objectsOf gives those of the quota's namespace. */
export function quotaStatus(
  quota: ResourceQuota,
  { objectsOf, nowMs }: { objectsOf: ObjectsOf; nowMs: number },
): NonNullable<ResourceQuota["status"]> {
  const hard = (quota.spec?.hard ?? {}) as { [bound: string]: string };
  const used = new Map(Object.keys(hard).map((bound) => [bound, Quantity.zero]));
  for (const resource of boundResources(quota)) {
    for (const object of objectsOf(resource)) {
      if (!quotaCovers(quota, resource, object)) continue;
      for (const [bound, amount] of usageOf(resource, object, { nowMs })) {
        const sum = used.get(bound);
        if (sum) used.set(bound, sum.add(amount));
      }
    }
  }
  return {
    hard,
    used: Object.fromEntries([...used].map(([bound, amount]) => [bound, amount.toString()])),
  };
}

/** When the first pod that is late to go stops to be charged; undefined when none will. */
export function nextChargeEndMs(
  quota: ResourceQuota,
  { objectsOf, nowMs }: { objectsOf: ObjectsOf; nowMs: number },
): number | undefined {
  if (!boundResources(quota).some(({ group, resource }) => group === "" && resource === "pods")) return undefined;
  const ends = objectsOf(pods).flatMap((pod) => podChargeEndMs(pod as Pod) ?? []);
  const ahead = ends.filter((endMs) => endMs >= nowMs);
  return ahead.length > 0 ? Math.min(...ahead) : undefined;
}
