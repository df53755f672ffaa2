// Which pods make room for a critical one that the node would otherwise refuse for want of resources: as few as can be, as
// small as can be, best-effort pods first. Mirrors upstream's preemption.go. Pure; the manager ends them.

import type { Pod, PodCondition } from "@picokube/api/core/v1";
import { qosClass } from "@picokube/api/pod";
import { isCriticalPod } from "../eviction/pressure-admission.js";
import { requestOf, type Shortage } from "./admission.js";
import type { Verdict } from "./verdict.js";

const words = "Preempted in order to admit critical pod";

const disruption: PodCondition = {
  type: "DisruptionTarget",
  status: "True",
  reason: "TerminationByKubelet",
  message: "Pod was preempted by Kubelet to accommodate a critical pod.",
};

/** Why a pod ends that makes room. */
export const preempted: Verdict = { phase: "Failed", reason: "Preempting", message: words, conditions: [disruption] };

interface Need {
  readonly resource: string;
  readonly missing: number;
}

function needsAfter(needs: readonly Need[], pods: readonly Pod[]): Need[] {
  return needs
    .map(({ resource, missing }) => ({
      resource,
      missing: pods.reduce((left, pod) => left - requestOf(pod, resource), missing),
    }))
    .filter(({ missing }) => missing > 0);
}

/** How far the pod's end would leave the node from what is needed; each resource weighs the same. */
function distance(needs: readonly Need[], pod: Pod): number {
  return needs.reduce((sum, { resource, missing }) => {
    const left = missing - requestOf(pod, resource);
    return left > 0 ? sum + (left / missing) ** 2 : sum;
  }, 0);
}

function isSmaller(a: Pod, b: Pod): boolean {
  for (const resource of ["memory", "cpu"]) {
    const [ofA, ofB] = [requestOf(a, resource), requestOf(b, resource)];
    if (ofA !== ofB) return ofA < ofB;
  }
  return true;
}

/** Of these pods those that together are enough, the best fit first; all of them when they are not. */
function closest(pods: readonly Pod[], needs: readonly Need[]): Pod[] {
  const left = [...pods];
  const chosen: Pod[] = [];
  for (let missing = needs; missing.length > 0 && left.length > 0; ) {
    const best = left.reduce((found, pod) => {
      const [ofFound, ofPod] = [distance(missing, found), distance(missing, pod)];
      return ofPod < ofFound || (ofPod === ofFound && isSmaller(pod, found)) ? pod : found;
    });
    left.splice(left.indexOf(best), 1);
    chosen.push(best);
    missing = needsAfter(missing, [best]);
  }
  return chosen;
}

/** Whether the one pod may push the other from the node. */
function isPreemptable(critical: Pod, pod: Pod): boolean {
  return !isCriticalPod(pod) || (critical.spec?.priority ?? 0) > (pod.spec?.priority ?? 0);
}

/** The pods to end so that the critical one has room. Throws, in upstream's words, when not even all would be enough. */
export function podsToPreempt(critical: Pod, others: readonly Pod[], shortages: readonly Shortage[]): Pod[] {
  const needs = shortages.map(({ resource, requested, used, capacity }) => ({
    resource,
    missing: requested - (capacity - used),
  }));
  const candidates = others.filter((pod) => isPreemptable(critical, pod));
  const unmet = needsAfter(needs, candidates);
  if (unmet.length > 0) {
    const shown = unmet.map(({ resource, missing }) => `(res: ${resource}, q: ${missing}), `).join("");
    throw new Error(
      `preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [${shown}]`,
    );
  }
  const of = (wanted: string) => candidates.filter((pod) => qosClass(pod) === wanted);
  const [bestEffort, burstable] = [of("BestEffort"), of("Burstable")];
  const guaranteed = closest(of("Guaranteed"), needsAfter(needs, [...bestEffort, ...burstable]));
  const between = closest(burstable, needsAfter(needs, [...bestEffort, ...guaranteed]));
  return [...closest(bestEffort, needsAfter(needs, [...between, ...guaranteed])), ...between, ...guaranteed];
}
