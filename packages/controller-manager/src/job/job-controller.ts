// Runs each Job's pods until enough of them have succeeded, or too many have failed.
// Watches: Jobs, Pods. Writes: Pods, Job status.

import { type Job, jobs } from "@picokube/api/batch/v1";
import { type Pod, pods } from "@picokube/api/core/v1";
import { isInvalid } from "@picokube/api/errors";
import { controllerOf, controllerRef } from "@picokube/api/owner";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import { formatTime } from "@picokube/api/time";
import type { Controller, Result } from "@picokube/client/controller";
import { Expectations } from "@picokube/client/expectations";
import { ifThere } from "@picokube/client/if-there";
import type { ObjectKey } from "@picokube/client/informer";
import { claim } from "../claim.js";
import type { Dependencies } from "../dependencies.js";
import { createPodControl } from "../pod-control.js";
import { FinalizerExpectations } from "./finalizer-expectations.js";
import { createJobMetrics } from "./job-metrics.js";
import { deadlineLeftMs, observeJob } from "./job-observation.js";
import { JobPass, type JobPassDependencies } from "./job-pass.js";
import {
  hasTrackingFinalizer,
  isJobFinished,
  isManagedElsewhere,
  trackingFinalizer,
  withoutTrackingFinalizer,
} from "./job-pods.js";
import { batchMs, jobChanges, jobOf, orphanOf, podChanges } from "./job-watches.js";
import { type FailureRecord, noFailures } from "./pod-backoff.js";

const byController = "jobController";
const orphans = "jobOrphans";

/** Upstream's job-controller. */
export function jobController({ client, informers, clock, metrics, recorder: recorderOf }: Dependencies): Controller {
  const jobInformer = informers.for(jobs);
  const podInformer = informers.for(pods);
  podInformer.addIndex(byController, (pod) => {
    const owner = controllerOf(pod);
    return owner?.kind === "Job" ? [owner.uid] : [];
  });
  podInformer.addIndex(orphans, (pod) => (controllerOf(pod) ? [] : [pod.metadata.namespace ?? ""]));
  const recorder = recorderOf("job-controller");
  const expectations = new Expectations({ clock });
  const releases = new FinalizerExpectations();
  const failures = new Map<ObjectKey, FailureRecord>();
  const podControl = createPodControl({ client, recorder });
  const measures = createJobMetrics(metrics);
  const shared = { client, clock, recorder, podControl, expectations, releases };
  const dependencies: JobPassDependencies = { ...shared, metrics: measures };
  jobInformer.addHandler({
    add(job) {
      if (isManagedElsewhere(job)) measures.managedElsewhere(job);
    },
  });
  podInformer.addHandler({
    add: (pod) => measures.podChanged(undefined, pod),
    update: (previous, pod) => measures.podChanged(previous, pod),
    delete: (pod) => measures.podChanged(pod, undefined),
  });

  async function reconcile(key: ObjectKey): Promise<Result> {
    const orphan = orphanOf(key);
    if (orphan !== undefined) return releaseOrphan(orphan);
    const cached = jobInformer.get(key);
    if (!cached || isJobFinished(cached)) {
      failures.delete(key);
      expectations.forget(key);
      releases.forget(key);
      return;
    }
    if (isManagedElsewhere(cached)) return;
    // Asked before the pods are read: one that comes in between is only seen later, never twice.
    const mayManage = expectations.satisfied(key);
    const released = new Set(releases.of(key));
    const owned = await claimPods(cached);
    const nowMs = clock.now();
    const job = started(cached, nowMs);
    const failuresBefore = failures.get(key) ?? noFailures;
    const seen = observeJob({ job, pods: owned, released, failuresBefore, nowMs });
    const waitMs = await measured(new JobPass(dependencies, { seen, mayManage }), job, nowMs);
    failures.set(key, seen.failures);
    const leftMs = deadlineLeftMs(job, nowMs);
    const waits = [waitMs, seen.verdict ? undefined : leftMs].filter((each) => each !== undefined);
    if (waits.length > 0) return { requeueAfterMs: Math.max(batchMs, Math.min(...waits)) };
  }

  async function measured(pass: JobPass, job: Job, startedMs: number): Promise<number | undefined> {
    let succeeded = false;
    try {
      const waitMs = await pass.step();
      succeeded = true;
      return waitMs;
    } finally {
      measures.synced(job, { action: pass.action, succeeded, seconds: (clock.now() - startedMs) / 1000 });
    }
  }

  function podsOf({ metadata }: Job): Pod[] {
    return podInformer.byIndex(byController, metadata.uid);
  }

  function claimPods(job: Job): Promise<Pod[]> {
    return claim({
      client,
      resource: pods,
      owner: job,
      ownerResource: jobs,
      reference: controllerRef(job, jobs),
      selector: selectorFromLabelSelector(job.spec?.selector),
      candidates: [...podsOf(job), ...podInformer.byIndex(orphans, job.metadata.namespace ?? "")],
      finalizers: [trackingFinalizer],
    });
  }

  // Upstream's syncOrphanPod: nobody will count this pod, so nothing may hold it.
  async function releaseOrphan(key: ObjectKey): Promise<void> {
    const pod = podInformer.get(key);
    if (!pod || !hasTrackingFinalizer(pod)) return;
    const owner = controllerOf(pod);
    if (owner && owner.kind !== "Job") return;
    const job = jobOf(pod, jobInformer);
    if (job && (isManagedElsewhere(job) || !isJobFinished(job))) return;
    const where = { name: pod.metadata.name, namespace: pod.metadata.namespace! };
    try {
      await ifThere(client.patch(pods, where, withoutTrackingFinalizer(pod), { type: "strategic" }));
    } catch (error) {
      // Another pod of that name by now.
      if (!isInvalid(error)) throw error;
    }
  }

  return {
    name: "job-controller",
    watches: [jobChanges(jobInformer, podsOf), podChanges({ podInformer, jobInformer, expectations, releases })],
    reconcile,
  };
}

function started(job: Job, nowMs: number): Job {
  if (job.spec?.suspend || job.status?.startTime) return job;
  return { ...job, status: { ...job.status, startTime: formatTime(nowMs) } };
}
