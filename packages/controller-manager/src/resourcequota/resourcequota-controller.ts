// Recounts what each ResourceQuota's namespace uses. Refusing what goes beyond it is admission's.
// Watches: ResourceQuotas, and every kind that one of them bounds. Writes: ResourceQuota status.

import { type ResourceQuota, resourcequotas } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import type { Controller, Result, WatchSource } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Dependencies } from "../dependencies.js";
import { createQuotaSources } from "./quota-sources.js";
import { boundResources, nextChargeEndMs, quotaStatus } from "./resourcequota-plan.js";

const SYNC_POLL_MS = 100;
const UNKNOWN_KIND_MS = 30_000;

/** Upstream's resourcequota-controller. */
export function resourceQuotaController(dependencies: Dependencies): Controller {
  const { client, informers, clock, options } = dependencies;
  const quotaInformer = informers.for(resourcequotas);
  let look: (key: ObjectKey) => void = () => {};
  const sources = createQuotaSources(dependencies, {
    onUsageChange(namespace) {
      for (const quota of quotaInformer.list(namespace)) look(keyOf(quota));
    },
  });

  async function reconcile(key: ObjectKey, signal: AbortSignal): Promise<Result> {
    const quota = quotaInformer.get(key);
    if (!quota) return;
    let soonestMs: number = options.resourceQuotaSyncPeriod;
    for (const resource of boundResources(quota)) {
      const state = await sources.follow(resource, signal);
      // A half-seen kind would be counted short, and its quota look freer than it is.
      if (state === "syncing") return { requeueAfterMs: SYNC_POLL_MS };
      if (state === "unknown") soonestMs = Math.min(soonestMs, UNKNOWN_KIND_MS);
    }
    const namespace = quota.metadata.namespace!;
    const counted = {
      objectsOf: (resource: GroupResource) => sources.list(resource, namespace),
      nowMs: clock.now(),
    };
    const status = quotaStatus(quota, counted);
    if (!semanticDeepEqual(status, quota.status)) await write(quota, status);
    const endMs = nextChargeEndMs(quota, counted);
    if (endMs !== undefined) soonestMs = Math.min(soonestMs, endMs - counted.nowMs + 1);
    return soonestMs > 0 ? { requeueAfterMs: soonestMs } : undefined;
  }

  async function write(quota: ResourceQuota, status: NonNullable<ResourceQuota["status"]>): Promise<void> {
    try {
      await client.update(resourcequotas, { ...quota, status }, { subresource: "status" });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  const quotas: WatchSource = {
    informer: quotaInformer,
    handler(enqueue) {
      look = enqueue;
      return {
        add: (quota: ResourceQuota) => enqueue(keyOf(quota)),
        update(previous: ResourceQuota, current: ResourceQuota) {
          // Our own writes of its status are no reason to count again.
          const isSame =
            semanticDeepEqual(previous.spec, current.spec) && semanticDeepEqual(previous.status, current.status);
          if (!isSame) enqueue(keyOf(current));
        },
      };
    },
  };
  return { name: "resourcequota-controller", watches: [quotas], reconcile };
}
