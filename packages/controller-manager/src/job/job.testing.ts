// Jobs and their pods as the API server would return them, for table tests.

import { type Job, type JobSpec, jobs } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { controllerRef } from "@picokube/api/owner";
import { object, pod } from "@picokube/testing/builders";
import { completionIndexKey, trackingFinalizer } from "./job-pods.js";

export const startMs = Date.parse("2026-01-01T00:00:00Z");

/** "2026-01-01T00:00:<seconds>Z" */
export function at(seconds: number): string {
  return new Date(startMs + seconds * 1000).toISOString().replace(".000", "");
}

/** A started Job of one pod. */
export function job({ spec = {}, status = {} }: { spec?: Partial<JobSpec>; status?: Job["status"] } = {}): Job {
  const template = { metadata: {}, spec: { restartPolicy: "Never", containers: [{ name: "main", image: "busybox" }] } };
  const parallel = {
    parallelism: 1,
    backoffLimit: 6,
    completionMode: "NonIndexed",
    podReplacementPolicy: "TerminatingOrFailed",
  };
  const merged = { ...parallel, template, ...spec } as JobSpec;
  return object(jobs, "work", { spec: merged, status: { startTime: at(0), ...status } });
}

export interface PodOptions {
  phase?: "Pending" | "Running" | "Succeeded" | "Failed";
  index?: number;
  exitCode?: number;
  endedAt?: number;
  deletedAt?: number;
  finalizer?: boolean;
  annotations?: Record<string, string>;
  conditions?: NonNullable<Pod["status"]>["conditions"];
  restarts?: number;
}

/** A pod of that Job. */
export function jobPod(name: string, options: PodOptions = {}): Pod {
  const {
    phase = "Running",
    index,
    exitCode,
    endedAt = 0,
    deletedAt,
    finalizer = true,
    conditions,
    restarts,
  } = options;
  const ended = phase === "Succeeded" || phase === "Failed";
  const terminated = { exitCode: exitCode ?? (phase === "Failed" ? 1 : 0), finishedAt: at(endedAt) };
  const statuses = [{ name: "main", restartCount: restarts ?? 0, state: ended ? { terminated } : {} }];
  const annotations = {
    ...(index === undefined ? {} : { [completionIndexKey]: String(index) }),
    ...options.annotations,
  };
  return pod(name, {
    metadata: {
      ownerReferences: [controllerRef(job(), jobs)],
      annotations,
      ...(finalizer ? { finalizers: [trackingFinalizer] } : {}),
      ...(deletedAt === undefined ? {} : { deletionTimestamp: at(deletedAt), deletionGracePeriodSeconds: 0 }),
    },
    status: { phase, ...(conditions ? { conditions } : {}), containerStatuses: statuses } as NonNullable<Pod["status"]>,
  });
}
