// What a Job reads off its pods: index, finalizer, whether one has failed. Pure.

import type { Job } from "@picokube/api/batch/v1";
import type { Pod } from "@picokube/api/core/v1";
import { isPodTerminal } from "@picokube/api/pod";
import { findCondition } from "../conditions.js";

/** Keeps a pod until the Job has counted it. */
export const trackingFinalizer = "batch.kubernetes.io/job-tracking";
/** Annotation and label. */
export const completionIndexKey = "batch.kubernetes.io/job-completion-index";
export const failureCountAnnotation = "batch.kubernetes.io/job-index-failure-count";
export const ignoredFailureCountAnnotation = "batch.kubernetes.io/job-index-ignored-failure-count";

/** A strategic merge patch that takes the finalizer off this very pod, and changes nothing else. */
export function withoutTrackingFinalizer({ metadata: { uid } }: Pod): object {
  return { metadata: { uid, "$deleteFromPrimitiveList/finalizers": [trackingFinalizer] } };
}

/** Complete or Failed: nothing about it changes any more. */
export function isJobFinished(job: Job): boolean {
  return finishedType(job) !== undefined;
}

/** Which of the two ends it came to. */
export function finishedType({ status }: Job): "Complete" | "Failed" | undefined {
  const types = ["Complete", "Failed"] as const;
  return types.find((type) => findCondition(status?.conditions, type)?.status === "True");
}

/** Someone else's controller looks after it (upstream: managedByExternalController). */
export function isManagedElsewhere({ spec }: Job): boolean {
  return spec?.managedBy !== undefined && spec.managedBy !== "kubernetes.io/job-controller";
}

export function isIndexed({ spec }: Job): boolean {
  return spec?.completionMode === "Indexed";
}

/** Whether each index has a limit of its own. */
export function hasLimitPerIndex({ spec }: Job): boolean {
  return spec?.backoffLimitPerIndex !== undefined;
}

/** Whether a pod is replaced only when it has ended, not as soon as it is being deleted. */
export function replacesOnlyEnded({ spec }: Job): boolean {
  return spec?.podReplacementPolicy === "Failed" || spec?.podFailurePolicy !== undefined;
}

export function hasTrackingFinalizer({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) ?? false;
}

/** Being deleted and not yet ended. */
export function isPodTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined && !isPodTerminal(pod);
}

/** Failed, or on its way out without having succeeded: its node may never say how it ended. Upstream's isPodFailed. */
export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === "Failed") return true;
  if (replacesOnlyEnded(job)) return false;
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== "Succeeded";
}

/** The pod's index; undefined when it has none. */
export function completionIndex(pod: Pod): number | undefined {
  return annotatedNumber(pod, completionIndexKey);
}

/** The index, if the Job has so many. */
export function validIndex(pod: Pod, { spec }: Job): number | undefined {
  const index = completionIndex(pod);
  return index !== undefined && index < (spec?.completions ?? 0) ? index : undefined;
}

/** Failures of the pod's index before this pod that count towards its limit. */
export function failureCount(pod: Pod): number {
  return annotatedNumber(pod, failureCountAnnotation) ?? 0;
}

/** Failures of the pod's index before this pod that a rule told to ignore. */
export function ignoredFailureCount(pod: Pod): number {
  return annotatedNumber(pod, ignoredFailureCountAnnotation) ?? 0;
}

function annotatedNumber({ metadata }: Pod, annotation: string): number | undefined {
  const text = metadata.annotations?.[annotation];
  return text !== undefined && /^\+?\d{1,10}$/.test(text) ? Number(text) : undefined;
}
