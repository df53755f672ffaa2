// What a PodDisruptionBudget's status says: how many pods there should be, how many are well, how many may go. Pure
// (upstream: pkg/controller/disruption).

import type { Pod } from "@picokube/api/core/v1";
import { getScaledValueFromIntOrPercent } from "@picokube/api/int-or-string";
import type { LabelSelector } from "@picokube/api/meta/v1";
import { isPodReady } from "@picokube/api/pod";
import type { PodDisruptionBudget } from "@picokube/api/policy/v1";
import { formatTime } from "@picokube/api/time";

export type BudgetStatus = NonNullable<PodDisruptionBudget["status"]>;
type Condition = NonNullable<BudgetStatus["conditions"]>[number];

/** An eviction that was let through and has not ended its pod by then is forgotten. Upstream's DeletionTimeout. */
const deletionTimeoutMs = 120_000;

export interface Expectation {
  readonly expectedPods: number;
  readonly desiredHealthy: number;
}

/** Whether the numbers need the sizes of the pods' owners, and not only the pods. */
export function needsScale({ spec }: PodDisruptionBudget): boolean {
  return (spec?.maxUnavailable ?? undefined) !== undefined || typeof spec?.minAvailable === "string";
}

/** How many pods there should be and how many of them well; scale is the sum of their owners' sizes. Upstream's getExpectedPodCount. */
export function expectationOf({ spec }: PodDisruptionBudget, size: { pods: number; scale: number }): Expectation {
  const { minAvailable, maxUnavailable } = spec ?? {};
  const ofScale = (value: number | string) =>
    getScaledValueFromIntOrPercent(value, { total: size.scale, roundUp: true });
  if (maxUnavailable !== undefined && maxUnavailable !== null)
    return { expectedPods: size.scale, desiredHealthy: Math.max(0, size.scale - ofScale(maxUnavailable)) };
  if (typeof minAvailable === "number") return { expectedPods: size.pods, desiredHealthy: minAvailable };
  if (typeof minAvailable === "string") return { expectedPods: size.scale, desiredHealthy: ofScale(minAvailable) };
  return { expectedPods: 0, desiredHealthy: 0 };
}

export interface Disrupted {
  /** Evictions still on their way, by pod. */
  readonly pods: { readonly [name: string]: string };
  /** When the first of them is overdue. */
  readonly recheckAfterMs?: number;
  /** Those that were let go and stayed. */
  readonly overdue: readonly Pod[];
}

/** The evictions that have not shown yet. Upstream's buildDisruptedPodMap. */
export function disruptedPods({ status }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number): Disrupted {
  const kept: { [name: string]: string } = {};
  const overdue: Pod[] = [];
  let recheckAfterMs: number | undefined;
  for (const pod of pods) {
    const since = status?.disruptedPods?.[pod.metadata.name];
    if (since === undefined || pod.metadata.deletionTimestamp) continue;
    const leftMs = Date.parse(since) + deletionTimeoutMs - nowMs;
    if (leftMs < 0) overdue.push(pod);
    else {
      kept[pod.metadata.name] = since;
      recheckAfterMs = Math.min(recheckAfterMs ?? leftMs, leftMs);
    }
  }
  return { pods: kept, overdue, ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }) };
}

/** Ready, not ending, and not about to. Upstream's countHealthyPods. */
export function countHealthy(pods: readonly Pod[], disrupted: Disrupted): number {
  return pods.filter(
    (pod) => !pod.metadata.deletionTimestamp && !(pod.metadata.name in disrupted.pods) && isPodReady(pod),
  ).length;
}

/** The status that these numbers give. Upstream's updatePdbStatus. */
export function budgetStatus(
  { metadata, status }: PodDisruptionBudget,
  counted: Expectation & { currentHealthy: number; disrupted: Disrupted; nowMs: number },
): BudgetStatus {
  const { expectedPods, desiredHealthy, currentHealthy, disrupted, nowMs } = counted;
  const observedGeneration = metadata.generation ?? 0;
  // Of a budget without pods nothing is allowed: its first pods may come before its next status.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0;
  const condition =
    disruptionsAllowed > 0
      ? { status: "True" as const, reason: "SufficientPods", message: "" }
      : { status: "False" as const, reason: "InsufficientPods", message: "" };
  return {
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    observedGeneration,
    ...(Object.keys(disrupted.pods).length > 0 ? { disruptedPods: disrupted.pods } : {}),
    conditions: withDisruptionAllowed(status?.conditions, { ...condition, observedGeneration, nowMs }),
  };
}

/** When the numbers cannot be had, nothing is allowed. Upstream's failSafe. */
export function failedStatus({ status }: PodDisruptionBudget, error: Error, nowMs: number): BudgetStatus {
  const observedGeneration = status?.observedGeneration ?? 0;
  const condition = { status: "False" as const, reason: "SyncFailed", message: error.message };
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...status,
    disruptionsAllowed: 0,
    conditions: withDisruptionAllowed(status?.conditions, { ...condition, observedGeneration, nowMs }),
  };
}

function withDisruptionAllowed(
  conditions: readonly Condition[] | undefined,
  { nowMs, ...next }: Pick<Condition, "status" | "reason" | "message"> & { observedGeneration: number; nowMs: number },
): Condition[] {
  const type = "DisruptionAllowed";
  const before = conditions?.find((condition) => condition.type === type);
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : formatTime(nowMs);
  const { observedGeneration, ...words } = next;
  const condition: Condition = {
    type,
    ...words,
    lastTransitionTime,
    ...(observedGeneration ? { observedGeneration } : {}),
  };
  return before ? conditions!.map((each) => (each === before ? condition : each)) : [...(conditions ?? []), condition];
}

/** As Go prints it, which is how an event shows it. */
export function selectorText(selector: LabelSelector | undefined): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = (selector?.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
  );
  const map = labels.map(([key, value]) => `${key}: ${value},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${map}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}
