// Deletes finished Jobs once their ttlSecondsAfterFinished is over.
// Watches: Jobs. Writes: deletes Jobs.

import { type Job, jobs } from "@picokube/api/batch/v1";
import type { Controller, Result } from "@picokube/client/controller";
import { ifThere } from "@picokube/client/if-there";
import type { ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { Dependencies } from "../dependencies.js";
import { hasTtl, ttlLeftMs } from "./ttl-left.js";

/** Upstream's ttl-after-finished-controller. */
export function ttlAfterFinishedController({ client, informers, clock, logger }: Dependencies): Controller {
  const jobInformer = informers.for(jobs);

  async function reconcile(key: ObjectKey): Promise<Result> {
    const cached = jobInformer.get(key);
    const leftMs = cached && ttlLeftMs(cached, clock.now());
    if (leftMs === undefined) return;
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    // Someone may have prolonged it a moment ago.
    const { name, namespace } = cached!.metadata;
    const where = { name, namespace: namespace! };
    const job = await ifThere(client.get(jobs, where));
    const freshLeftMs = job && ttlLeftMs(job, clock.now());
    if (!job || freshLeftMs === undefined) return;
    if (freshLeftMs > 0) return { requeueAfterMs: freshLeftMs };
    logger.v(4).info("Cleaning up Job", { job: key });
    const { uid, resourceVersion } = job.metadata;
    const preconditions = { uid, resourceVersion: resourceVersion! };
    await ifThere(client.delete(jobs, where, { propagationPolicy: "Foreground", preconditions }));
  }

  return {
    name: "ttl-after-finished-controller",
    watches: [
      {
        informer: jobInformer,
        handler(enqueue) {
          const check = (job: Job) => {
            if (hasTtl(job)) enqueue(keyOf(job));
          };
          return { add: check, update: (_: Job, job: Job) => check(job) };
        },
      },
    ],
    reconcile,
  };
}
