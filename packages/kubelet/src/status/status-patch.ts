// From the status the API has and the one it should have to a strategic merge patch. Pure.

import type { PodCondition, PodStatus } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";

/** Conditions that the kubelet alone writes: upstream's PodConditionByKubelet. Others' are left alone. */
const ownConditions = new Set([
  "PodScheduled",
  "Ready",
  "Initialized",
  "ContainersReady",
  "PodReadyToStartContainers",
  "PodResizePending",
  "PodResizeInProgress",
]);

/** Fields that other components write into a pod's status. */
const foreignFields = new Set(["conditions", "nominatedNodeName", "resourceClaimStatuses"]);

const mergeKeys: Readonly<Record<string, string>> = { podIPs: "ip", hostIPs: "ip" };

type Item = Record<string, unknown>;

function listPatch(key: string, before: readonly Item[], after: readonly Item[]): Item[] {
  const kept = new Set(after.map((item) => item[key]));
  const gone = before.filter((item) => !kept.has(item[key])).map((item) => ({ [key]: item[key], $patch: "delete" }));
  return [...after, ...gone];
}

/** The new status with times of transition and of start carried over from what is known. */
export function carryOver(before: PodStatus | undefined, after: PodStatus, now: string): PodStatus {
  const previous = new Map((before?.conditions ?? []).map((condition) => [condition.type, condition]));
  const conditions = (after.conditions ?? []).map((condition): PodCondition => {
    const old = previous.get(condition.type);
    const lastTransitionTime =
      old?.status === condition.status ? old.lastTransitionTime : (condition.lastTransitionTime ?? now);
    return { ...condition, lastTransitionTime: lastTransitionTime ?? now };
  });
  const startTime = before?.startTime ?? after.startTime ?? now;
  return { ...after, conditions, startTime };
}

/** The "status" of a patch; undefined when the API's status needs no change. */
export function statusPatch(before: PodStatus, after: PodStatus): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  const [old, wanted] = [before as unknown as Item, after as unknown as Item];
  for (const field of new Set([...Object.keys(old), ...Object.keys(wanted)])) {
    if (foreignFields.has(field) || semanticDeepEqual(old[field], wanted[field])) continue;
    if (wanted[field] === undefined) patch[field] = null;
    else if (mergeKeys[field]) {
      patch[field] = listPatch(mergeKeys[field], (old[field] ?? []) as Item[], wanted[field] as Item[]);
    } else patch[field] = wanted[field];
  }
  const known = new Map((before.conditions ?? []).map((condition) => [condition.type, condition]));
  const wantedTypes = new Set((after.conditions ?? []).map(({ type }) => type));
  const conditions: Item[] = (after.conditions ?? [])
    .filter((condition) => {
      const current = known.get(condition.type);
      return !current || !sameCondition(current, condition);
    })
    .map((condition) => conditionPatch(known.get(condition.type), condition));
  for (const type of known.keys()) {
    if (ownConditions.has(type) && !wantedTypes.has(type)) conditions.push({ type, $patch: "delete" });
  }
  if (conditions.length > 0) patch.conditions = conditions;
  return Object.keys(patch).length > 0 ? patch : undefined;
}

function sameCondition(a: PodCondition, b: PodCondition): boolean {
  return (
    a.status === b.status &&
    (a.reason ?? "") === (b.reason ?? "") &&
    (a.message ?? "") === (b.message ?? "") &&
    (a.lastTransitionTime ?? "") === (b.lastTransitionTime ?? "")
  );
}

/** Fields that the condition no longer has must be nulled: the patch merges into the old one. */
function conditionPatch(before: PodCondition | undefined, after: PodCondition): Item {
  const gone = Object.keys(before ?? {}).filter((field) => (after as unknown as Item)[field] === undefined);
  return { ...after, ...Object.fromEntries(gone.map((field) => [field, null])) };
}
