// Whether a pod may be evicted: what its disruption budget says, in upstream's words. Pure (upstream:
// registry/core/pod/storage/eviction.go).

import type { Pod } from "@picokube/api/core/v1";
import { StatusError } from "@picokube/api/errors";
import { isPodReady, isPodTerminal } from "@picokube/api/pod";
import type { PodDisruptionBudget } from "@picokube/api/policy/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";
import { formatTime } from "@picokube/api/time";

const MAX_DISRUPTED_PODS = 2000;
const RETRY_AFTER_SECONDS = 10;
const CONDITION = "DisruptionAllowed";

const refusal = (message: string, retryAfterSeconds?: number) =>
  new StatusError({
    code: 429,
    reason: "TooManyRequests",
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: {
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      causes: [{ reason: "DisruptionBudget", message }],
    },
  });

const forbidden = (name: string, why: string) =>
  new StatusError({
    code: 403,
    reason: "Forbidden",
    message: `poddisruptionbudget.policy "${name}" is forbidden: ${why}`,
    details: { name, group: "policy", kind: "poddisruptionbudget" },
  });

/** The answer when the budget does not yet tell of what is now. Upstream's createTooManyRequestsError. */
export function stillProcessed(budgetName: string): StatusError {
  return refusal(`The disruption budget ${budgetName} is still being processed by the server.`, RETRY_AFTER_SECONDS);
}

/** Why the budget does not let a pod go now; undefined when it does. Upstream's checkAndDecrement. */
export function budgetRefusal({ metadata, status }: PodDisruptionBudget): StatusError | undefined {
  const { name, generation = 0 } = metadata;
  const allowed = status?.disruptionsAllowed ?? 0;
  if ((status?.observedGeneration ?? 0) < generation) return stillProcessed(name);
  if (allowed < 0) return forbidden(name, "pdb disruptions allowed is negative");
  if (Object.keys(status?.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
    const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
    return forbidden(name, why);
  }
  return allowed === 0 ? refusal(whyNoneIsAllowed(name, status)) : undefined;
}

function whyNoneIsAllowed(name: string, status: PodDisruptionBudget["status"]): string {
  const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {};
  const current = status?.conditions?.find(({ type }) => type === CONDITION);
  const told = current?.status === "False" && current.message ? current : undefined;
  const words = `The disruption budget ${name} does not allow evicting pods currently`;
  // When the last sync failed, the numbers are not to be trusted.
  if (told?.reason === "SyncFailed") return `${words} because it failed sync: ${told.message}`;
  if (currentHealthy <= desiredHealthy)
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  return told ? `${words} (${told.reason}): ${told.message}` : words;
}

/** The budget's status once the pod has been let go. */
export function withDisruptedPod(budget: PodDisruptionBudget, podName: string, nowMs: number): PodDisruptionBudget {
  const status = budget.status!;
  const now = formatTime(nowMs);
  const disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1;
  const others = (status.conditions ?? []).filter(({ type }) => type !== CONDITION);
  const before = status.conditions?.find(({ type }) => type === CONDITION);
  const condition = {
    type: CONDITION,
    status: "False" as const,
    reason: "InsufficientPods",
    message: "",
    lastTransitionTime: before?.status === "False" ? before.lastTransitionTime : now,
    ...(status.observedGeneration === undefined ? {} : { observedGeneration: status.observedGeneration }),
  };
  return {
    ...budget,
    status: {
      ...status,
      disruptionsAllowed,
      disruptedPods: { ...status.disruptedPods, [podName]: now },
      ...(disruptionsAllowed === 0 ? { conditions: [...others, condition] } : {}),
    },
  };
}

/** Budgets whose selector chooses the pod. */
export function budgetsOf(pod: Pod, budgets: readonly PodDisruptionBudget[]): PodDisruptionBudget[] {
  return budgets.filter(
    ({ spec }) => spec?.selector && selectorFromLabelSelector(spec.selector).matches(pod.metadata.labels),
  );
}

/** Pods that no budget protects: finished, not yet running, or on their way out. Upstream's canIgnorePDB. */
export function needsNoBudget(pod: Pod): boolean {
  return (
    isPodTerminal(pod) || (pod.status?.phase ?? "Pending") === "Pending" || pod.metadata.deletionTimestamp !== undefined
  );
}

/** Whether an unready pod may go without the budget's leave. */
export function unreadyMayGo(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isPodReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}
