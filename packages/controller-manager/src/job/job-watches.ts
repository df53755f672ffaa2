// Which changes of Jobs and pods wake which key: a Job's own, or that of a pod nobody counts any more. Sees expectations met.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { controllerOf } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import type { WatchSource } from "@picokube/client/controller";
import type { Expectations } from "@picokube/client/expectations";
import type { Informer, ObjectKey } from "@picokube/client/informer";
import { keyOf } from "@picokube/client/object-key";
import type { FinalizerExpectations } from "./finalizer-expectations.js";
import { hasTrackingFinalizer, isJobFinished } from "./job-pods.js";

/** What pods do in a row becomes one pass. */
export const batchMs = 1000;

const orphanPrefix = "orphan-pod/";

/** The key of a pod that is not, or no longer, a Job's to count. */
export function orphanKey(pod: Pod): ObjectKey {
  return `${orphanPrefix}${keyOf(pod)}`;
}

/** The pod's own key, if the key is that of such a pod. */
export function orphanOf(key: ObjectKey): ObjectKey | undefined {
  return key.startsWith(orphanPrefix) ? key.slice(orphanPrefix.length) : undefined;
}

/** The Job that controls the pod, if it is there. */
export function jobOf(pod: Pod, jobInformer: Informer<Job>): Job | undefined {
  const owner = controllerOf(pod);
  if (owner?.kind !== "Job") return undefined;
  const job = jobInformer.get(`${pod.metadata.namespace}/${owner.name}`);
  return job?.metadata.uid === owner.uid ? job : undefined;
}

/** Jobs: at once when their spec changes; one that is finished or gone lets its last pods go. */
export function jobChanges(jobInformer: Informer<Job>, podsOf: (job: Job) => readonly Pod[]): WatchSource {
  return {
    informer: jobInformer,
    handler(enqueue) {
      const letGo = (job: Job) => {
        for (const pod of podsOf(job)) if (hasTrackingFinalizer(pod)) enqueue(orphanKey(pod));
      };
      return {
        add: (job: Job) => enqueue(keyOf(job)),
        update(previous: Job, job: Job) {
          const isSpec = previous.metadata.generation !== job.metadata.generation;
          enqueue(keyOf(job), isSpec ? 0 : batchMs);
          if (isJobFinished(job)) letGo(job);
        },
        delete(job: Job) {
          enqueue(keyOf(job));
          letGo(job);
        },
      };
    },
  };
}

/** Pods: their Job a moment later. */
export function podChanges({
  podInformer,
  jobInformer,
  expectations,
  releases,
}: {
  podInformer: Informer<Pod>;
  jobInformer: Informer<Job>;
  expectations: Expectations;
  releases: FinalizerExpectations;
}): WatchSource {
  return {
    informer: podInformer,
    handler(enqueue) {
      const gone = (pod: Pod, { final }: { final: boolean }) => {
        const owner = controllerOf(pod);
        const job = jobOf(pod, jobInformer);
        const isOrphan = !owner || (owner.kind === "Job" && (!job || isJobFinished(job)));
        if (isOrphan && !final && hasTrackingFinalizer(pod)) enqueue(orphanKey(pod));
        if (isOrphan || !job) return;
        const key = keyOf(job);
        expectations.deletionObserved(key, keyOf(pod));
        if (final || !hasTrackingFinalizer(pod)) releases.observed(key, pod.metadata.uid);
        enqueue(key, batchMs);
      };
      const orphan = (pod: Pod) => {
        if (hasTrackingFinalizer(pod)) enqueue(orphanKey(pod));
        for (const job of jobInformer.list(pod.metadata.namespace))
          if (selectorFromLabelSelector(job.spec?.selector).matches(pod.metadata.labels)) enqueue(keyOf(job), batchMs);
      };
      return {
        add(pod: Pod) {
          if (pod.metadata.deletionTimestamp) return gone(pod, { final: false });
          if (!controllerOf(pod)) return orphan(pod);
          const job = jobOf(pod, jobInformer);
          if (!job) return;
          expectations.creationObserved(keyOf(job));
          enqueue(keyOf(job), batchMs);
        },
        update(previous: Pod, pod: Pod) {
          if (previous.metadata.resourceVersion === pod.metadata.resourceVersion) return;
          if (pod.metadata.deletionTimestamp) return gone(pod, { final: false });
          const [before, job] = [jobOf(previous, jobInformer), jobOf(pod, jobInformer)];
          for (const each of new Set([before, job])) {
            if (!each) continue;
            if (!hasTrackingFinalizer(pod)) releases.observed(keyOf(each), pod.metadata.uid);
            enqueue(keyOf(each), batchMs);
          }
          if (!controllerOf(pod)) orphan(pod);
        },
        delete: (pod: Pod) => gone(pod, { final: true }),
      };
    },
  };
}
