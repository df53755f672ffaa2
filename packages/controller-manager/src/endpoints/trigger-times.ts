// When the change happened that made endpoints change: the annotation from which programs learn how late the network is.
// Keeps what it last saw of each Service; writes nothing.

import type { Pod, Service } from "@picokube/api/core/v1";
import { podCondition } from "@picokube/api/pod";
import { parseTime } from "@picokube/api/time";
import type { ObjectKey } from "@picokube/client/informer";

export const triggerTimeAnnotation = "endpoints.kubernetes.io/last-change-trigger-time";

export interface TriggerTimes {
  /** The earliest change since the last call, as the API wrote it; undefined when none is known. Asked once a sync. */
  of(key: ObjectKey, service: Service, pods: readonly Pod[]): string | undefined;
  forget(key: ObjectKey): void;
}

interface Seen {
  readonly service: number;
  readonly pods: ReadonlyMap<string, number>;
}

/** Upstream's TriggerTimeTracker: a pod counts by its Ready condition's last transition, a Service by its creation. */
export function createTriggerTimes(): TriggerTimes {
  const seen = new Map<ObjectKey, Seen>();
  return {
    of(key, service, pods) {
      const before = seen.get(key);
      let earliest: { text: string; time: number } | undefined;
      const note = (text: string | undefined, known: number | undefined): number | undefined => {
        const time = parseTime(text);
        if (time !== undefined && time > (known ?? 0) && time < (earliest?.time ?? Number.POSITIVE_INFINITY))
          earliest = { text: text!, time };
        return time;
      };
      const times = new Map<string, number>();
      for (const pod of pods) {
        const { name } = pod.metadata;
        const time = note(podCondition(pod.status, "Ready")?.lastTransitionTime, before?.pods.get(name));
        if (time !== undefined) times.set(name, time);
      }
      const created = note(service.metadata.creationTimestamp, before?.service) ?? 0;
      seen.set(key, { service: created, pods: times });
      return before ? earliest?.text : service.metadata.creationTimestamp;
    },
    forget: (key) => void seen.delete(key),
  };
}

/** The annotations with this time, or without any. */
export function withTriggerTime(
  annotations: Readonly<Record<string, string>> | undefined,
  time: string | undefined,
): Record<string, string> {
  const { [triggerTimeAnnotation]: _, ...others } = annotations ?? {};
  return time === undefined ? others : { ...others, [triggerTimeAnnotation]: time };
}
