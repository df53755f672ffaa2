// The pods that a Job makes: finalizer, and of an Indexed Job index, hostname and the environment that tells the index. Pure.

import type { Job } from "@picokube/api/batch/v1";
import type { Container, Pod, PodTemplateSpec } from "@picokube/api/core/v1";
import {
  completionIndexKey,
  failureCount,
  failureCountAnnotation,
  hasLimitPerIndex,
  ignoredFailureCount,
  ignoredFailureCountAnnotation,
  trackingFinalizer,
} from "./job-pods.js";
import { judgeFailure } from "./pod-failure-policy.js";

const indexEnvironment = "JOB_COMPLETION_INDEX";
const maxGeneratedNameLength = 58;

export interface NewPod {
  readonly template: PodTemplateSpec;
  readonly generateName: string;
}

/** The pod of that index; replaced is the failed pod whose failures it inherits. */
export function newJobPod(
  job: Job,
  { index, replaced }: { index: number | undefined; replaced: Pod | undefined },
): NewPod {
  const { name } = job.metadata;
  const { metadata = {}, spec } = job.spec!.template;
  const finalizers = [...new Set([...(metadata.finalizers ?? []), trackingFinalizer])];
  if (index === undefined)
    return { template: { metadata: { ...metadata, finalizers }, spec: spec! }, generateName: `${name}-` };
  const told = { [completionIndexKey]: String(index) };
  return {
    generateName: withinLimit(name, `-${index}-`),
    template: {
      metadata: {
        ...metadata,
        finalizers,
        labels: { ...metadata.labels, ...told },
        annotations: { ...metadata.annotations, ...told, ...(hasLimitPerIndex(job) ? failures(job, replaced) : {}) },
      },
      spec: {
        ...spec!,
        hostname: `${name}-${index}`,
        containers: spec!.containers.map(withIndex),
        ...(spec!.initContainers ? { initContainers: spec!.initContainers.map(withIndex) } : {}),
      },
    },
  };
}

function withinLimit(name: string, suffix: string): string {
  return `${name.slice(0, maxGeneratedNameLength - suffix.length)}${suffix}`;
}

function withIndex(container: Container): Container {
  if (container.env?.some(({ name }) => name === indexEnvironment)) return container;
  const fieldPath = `metadata.labels['${completionIndexKey}']`;
  return {
    ...container,
    env: [...(container.env ?? []), { name: indexEnvironment, valueFrom: { fieldRef: { fieldPath } } }],
  };
}

// Upstream's getNewIndexFailureCounts.
function failures(job: Job, replaced: Pod | undefined): Record<string, string> {
  if (!replaced) return { [failureCountAnnotation]: "0" };
  const { counts } = judgeFailure(job.spec?.podFailurePolicy, replaced);
  const ignored = ignoredFailureCount(replaced) + (counts ? 0 : 1);
  return {
    [failureCountAnnotation]: String(failureCount(replaced) + (counts ? 1 : 0)),
    ...(ignored > 0 ? { [ignoredFailureCountAnnotation]: String(ignored) } : {}),
  };
}
