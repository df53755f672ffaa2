// What a StatefulSet needs done next, as data. Pure (upstream: updateStatefulSet).

import type { StatefulSet } from "@picokube/api/apps/v1";
import type { PersistentVolumeClaim, Pod, PodTemplateSpec } from "@picokube/api/core/v1";
import { getScaledValueFromIntOrPercent } from "@picokube/api/int-or-string";
import type { NewObject } from "@picokube/api/meta/v1";
import { isPodTerminal } from "@picokube/api/pod";
import { isStale, ownersAreUpToDate } from "./claim-retention.js";
import {
  type AnyPod,
  claimsOf,
  identityMatches,
  inRange,
  newPod,
  ordinalOf,
  ordinalRange,
  revisionOf,
  storageMatches,
} from "./identity.js";
import { type Availability, isRunningAndReady, isTerminating, isUnavailable } from "./statefulset-status.js";

export type Step =
  /** Makes the pod, its claims first. */
  | { readonly do: "create"; readonly pod: NewObject<Pod> & AnyPod }
  | { readonly do: "delete"; readonly pod: Pod }
  /** Makes the claims that a waiting pod lacks. */
  | { readonly do: "complete claims"; readonly pod: Pod }
  /** Puts identity, volumes and the claims' owners right. */
  | { readonly do: "mend"; readonly pod: Pod }
  /** Puts the claims' owners right, of a pod that is to go. */
  | { readonly do: "mend claims"; readonly pod: Pod };

/** Each pod's steps, in the order of the pods. One pod after the other, unless the set is parallel. */
export type Stage = readonly (readonly Step[])[];

export interface StatefulSetPlan {
  /** A stage begins only when the one before it has succeeded. */
  readonly stages: readonly Stage[];
  /** The last stage, apart: its deletions make way for the update. */
  readonly update: readonly Pod[];
}

export interface Revision {
  /** The ControllerRevision's. */
  readonly name: string;
  readonly template: PodTemplateSpec;
}

export interface Observed {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly current: Revision;
  readonly update: Revision;
  readonly nowMs: number;
}

/** Pods may be made and ended all at once. */
export function isParallel({ spec }: StatefulSet): boolean {
  return spec?.podManagementPolicy === "Parallel";
}

/** The next steps. In order, a pod that is not there yet holds up all that come after it. */
export function planStatefulSet(observed: Observed): StatefulSetPlan {
  const { set, pods, nowMs } = observed;
  const monotonic = !isParallel(set);
  const availability = { minReadySeconds: set.spec?.minReadySeconds ?? 0, nowMs };
  const { start, end } = ordinalRange(set);
  const byOrdinal = new Map(pods.filter((pod) => inRange(set, pod)).map((pod) => [ordinalOf(pod), pod]));
  const condemned = pods
    .filter((pod) => !inRange(set, pod) && ordinalOf(pod) >= 0)
    .sort((a, b) => ordinalOf(b) - ordinalOf(a));

  const living: Step[][] = [];
  for (let ordinal = start; ordinal < end; ordinal++) {
    const pod = byOrdinal.get(ordinal);
    const { steps, wait } = pod
      ? stepsOfReplica(observed, pod, { monotonic, availability })
      : stepsOfMissing(observed, ordinal);
    living.push(steps);
    if (wait && monotonic) return { stages: [living], update: [] };
  }

  const claims = condemned.filter((pod) => !claimOwnersMatch(observed, pod));
  const mended: Step[][] = claims.map((pod) => [{ do: "mend claims", pod }]);
  const doomed = doomedOf(condemned, { monotonic, availability });
  const stages = [living, mended, doomed.map((pod): Step[] => [{ do: "delete", pod }])];
  if (monotonic && condemned.length > 0) return { stages, update: [] };
  return { stages, update: planUpdate(observed, { byOrdinal, availability }) };
}

function stepsOfMissing(observed: Observed, ordinal: number): { steps: Step[]; wait: boolean } {
  const { set, current, update } = observed;
  const { start } = ordinalRange(set);
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const held = rollingUpdate
    ? ordinal < start + (rollingUpdate.partition ?? 0)
    : type === "RollingUpdate" && ordinal < start + (set.status?.currentReplicas ?? 0);
  const { name: revision, template } = held ? current : update;
  const pod = newPod({ set, template, revision, ordinal });
  const stale = existingClaims(observed, pod).some((claim) => isStale(claim, { set, pod }));
  return { steps: stale ? [] : [{ do: "create", pod }], wait: true };
}

function stepsOfReplica(
  observed: Observed,
  pod: Pod,
  { monotonic, availability }: { monotonic: boolean; availability: Availability },
): { steps: Step[]; wait: boolean } {
  // Whatever ended it, and however well: the ordinal wants a pod that runs.
  if (isPodTerminal(pod)) return { steps: isTerminating(pod) ? [] : [{ do: "delete", pod }], wait: true };
  const steps: Step[] = [];
  if (pod.status?.phase === "Pending" && !claimsAreComplete(observed, pod)) steps.push({ do: "complete claims", pod });
  const wait = isTerminating(pod) || !isRunningAndReady(pod) || isUnavailable(pod, availability);
  if (wait && monotonic) return { steps, wait };
  const { set } = observed;
  if (!identityMatches(set, pod) || !storageMatches(set, pod) || !claimOwnersMatch(observed, pod))
    steps.push({ do: "mend", pod });
  return { steps, wait };
}

function existingClaims({ set, claim }: Observed, pod: { metadata: { name: string } }): PersistentVolumeClaim[] {
  return [...claimsOf(set, ordinalOf(pod)).values()].flatMap(({ metadata }) => claim(metadata.name) ?? []);
}

function claimOwnersMatch(observed: Observed, pod: Pod): boolean {
  return existingClaims(observed, pod).every((claim) => ownersAreUpToDate(claim, { set: observed.set, pod }));
}

function claimsAreComplete(observed: Observed, pod: Pod): boolean {
  const existing = existingClaims(observed, pod);
  const wanted = observed.set.spec?.volumeClaimTemplates?.length ?? 0;
  return (
    existing.length === wanted &&
    existing.every(({ metadata }) => !metadata.deletionTimestamp) &&
    claimOwnersMatch(observed, pod)
  );
}

// In order: the highest first, one at a time, and one that is not well only when nothing before it is ill.
function doomedOf(
  condemned: readonly Pod[],
  { monotonic, availability }: { monotonic: boolean; availability: Availability },
): Pod[] {
  if (!monotonic) return condemned.filter((pod) => !isTerminating(pod));
  const [next] = condemned;
  if (!next || isTerminating(next)) return [];
  const firstIll = [...condemned].reverse().find((pod) => isUnavailable(pod, availability));
  return isUnavailable(next, availability) && next !== firstIll ? [] : [next];
}

function planUpdate(
  { set, update }: Observed,
  { byOrdinal, availability }: { byOrdinal: ReadonlyMap<number, Pod>; availability: Availability },
): Pod[] {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  if (type === "OnDelete") return [];
  const { start, end } = ordinalRange(set);
  const lowest = start + (rollingUpdate?.partition ?? 0);
  const isOld = (pod: Pod) => revisionOf(pod) !== update.name && !isTerminating(pod) && !isPodTerminal(pod);
  const replicas = Array.from({ length: end - start }, (_, index) => byOrdinal.get(start + index));
  const candidates = replicas.slice(lowest - start).reverse();
  if (rollingUpdate?.maxUnavailable === undefined) {
    const next = candidates.find((pod) => (pod && isOld(pod)) || isUnavailable(pod, availability));
    return next && isOld(next) ? [next] : [];
  }
  const isIll = (pod: Pod | undefined) => isUnavailable(pod, availability);
  let left = maxUnavailableOf(rollingUpdate.maxUnavailable, replicas.length) - replicas.filter(isIll).length;
  // One that is ill already costs nothing.
  return candidates.filter((pod): pod is Pod => pod !== undefined && isOld(pod) && (isIll(pod) || left-- > 0));
}

/** At least 1; percentages are rounded down. Upstream's getStatefulSetMaxUnavailable. */
function maxUnavailableOf(value: number | string, replicas: number): number {
  return Math.max(1, getScaledValueFromIntOrPercent(value, { total: replicas, roundUp: false }));
}
