// Events about pods in the kubelet's voice, and the error that a container's start fails with. Decides nothing.

import type { Pod } from "@picokube/api/core/v1";
import type { EventRecorder } from "@picokube/client/event-recorder";

export interface PodEventWords {
  readonly reason: string;
  readonly message: string;
  /** Narrows the event to spec.containers{name} (or initContainers, ephemeralContainers). */
  readonly container?: string;
}

export interface PodEvents {
  normal(pod: Pod, words: PodEventWords): void;
  warning(pod: Pod, words: PodEventWords): void;
}

/** A container that could not start: reason and message of its waiting state. */
export class ContainerStartError extends Error {
  override readonly name = "ContainerStartError";
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** Where a container stands in its pod's spec, as events name it: "spec.containers{web}". */
export function fieldPathOf(pod: Pod, container: string): string {
  const has = (list: readonly { name: string }[] | undefined) => list?.some(({ name }) => name === container);
  if (has(pod.spec?.initContainers)) return `spec.initContainers{${container}}`;
  if (has(pod.spec?.ephemeralContainers)) return `spec.ephemeralContainers{${container}}`;
  return `spec.containers{${container}}`;
}

/** name_namespace(uid): upstream's format.Pod. */
export function podName(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** Pods' events through the recorder. */
export function podEvents(recorder: EventRecorder): PodEvents {
  const record = (type: "Normal" | "Warning", pod: Pod, { reason, message, container }: PodEventWords) =>
    recorder.record(
      { ...pod, apiVersion: "v1", kind: "Pod" },
      { type, reason, message, ...(container === undefined ? {} : { fieldPath: fieldPathOf(pod, container) }) },
    );
  return {
    normal: (pod, words) => record("Normal", pod, words),
    warning: (pod, words) => record("Warning", pod, words),
  };
}
