// How many replicas each ReplicaSet of a Deployment should have next. Pure: upstream's rolling.go and the scaling of sync.go.

import type { Deployment, ReplicaSet } from "@picokube/api/apps/v1";
import { annotatedCount, desiredReplicasAnnotation, maxReplicasAnnotation, revisionOf } from "./annotations.js";
import { active, byCreation, type Fenceposts, fenceposts, wantedReplicas } from "./replica-sets.js";

/** One ReplicaSet is to get this size. */
export interface Scaling {
  readonly replicaSet: ReplicaSet;
  readonly replicas: number;
}

/** The size of the new ReplicaSet, as far as maxSurge lets it grow. Upstream's NewRSNewReplicas. */
export function newReplicaSetSize(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  newest: ReplicaSet | undefined,
): number {
  const desired = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.strategy?.type === "Recreate") return desired;
  const current = newest ? (newest.spec?.replicas ?? 1) : 0;
  const room = desired + fenceposts(deployment).maxSurge - wantedReplicas(replicaSets);
  if (room <= 0) return current;
  return current + Math.min(room, desired - current);
}

/** The next step of a rolling update: first the new one grows, else old ones shrink as far as availability lets them. */
export function planRollingUpdate({
  deployment,
  newest,
  old,
}: {
  deployment: Deployment;
  newest: ReplicaSet;
  old: readonly ReplicaSet[];
}): Scaling[] {
  const desired = deployment.spec?.replicas ?? 1;
  const size = newest.spec?.replicas ?? 1;
  const next =
    size > desired ? desired : size < desired ? newReplicaSetSize(deployment, [...old, newest], newest) : size;
  if (next !== size) return [{ replicaSet: newest, replicas: next }];
  return planOldReplicaSets({ desired, newest, old, posts: fenceposts(deployment) });
}

function planOldReplicaSets({
  desired,
  newest,
  old,
  posts,
}: {
  desired: number;
  newest: ReplicaSet;
  old: readonly ReplicaSet[];
  posts: Fenceposts;
}): Scaling[] {
  if (wantedReplicas(old) === 0) return [];
  const all = [...old, newest];
  // A status of a former size says nothing of what is available: its change wakes us.
  if (all.some(({ metadata, status }) => (metadata.generation ?? 0) > (status?.observedGeneration ?? 0))) return [];
  const minAvailable = desired - posts.maxUnavailable;
  const newUnavailable = (newest.spec?.replicas ?? 1) - availableToStay(newest);
  let left = wantedReplicas(all) - minAvailable - newUnavailable;
  if (left <= 0) return [];
  const sizes = new Map(old.map((replicaSet) => [replicaSet, replicaSet.spec?.replicas ?? 1]));
  // Unhealthy pods go first: to lose them costs nothing.
  for (const replicaSet of [...old].sort(byCreation)) {
    const size = sizes.get(replicaSet)!;
    const lame = Math.min(left, size - availableToStay(replicaSet));
    if (lame <= 0) continue;
    sizes.set(replicaSet, size - lame);
    left -= lame;
  }
  let spare = all.reduce((sum, replicaSet) => sum + availableToStay(replicaSet), 0) - minAvailable;
  for (const replicaSet of [...old].sort(byCreation)) {
    const size = sizes.get(replicaSet)!;
    const less = Math.min(size, spare);
    if (less <= 0) continue;
    sizes.set(replicaSet, size - less);
    spare -= less;
  }
  return [...sizes]
    .filter(([replicaSet, replicas]) => replicas !== (replicaSet.spec?.replicas ?? 1))
    .map(([replicaSet, replicas]) => ({ replicaSet, replicas }));
}

// A ReplicaSet that was told to shrink may still count pods that it is about to delete. (Upstream goes by the count alone;
// a change of the template at that moment lets it go below what must be available.)
function availableToStay({ spec, status }: ReplicaSet): number {
  return Math.min(spec?.replicas ?? 1, status?.availableReplicas ?? 0);
}

/** The sizes after the Deployment itself was scaled: in mid-rollout every ReplicaSet gets its share. */
export function planScale({
  deployment,
  newest,
  old,
}: {
  deployment: Deployment;
  newest: ReplicaSet | undefined;
  old: readonly ReplicaSet[];
}): Scaling[] {
  const desired = deployment.spec?.replicas ?? 1;
  const all = newest ? [...old, newest] : [...old];
  const running = active(all);
  // With nothing or one thing running there is nothing to share out.
  const only =
    running.length === 1 ? running[0] : running.length === 0 ? (newest ?? [...old].sort(byCreation).at(-1)) : undefined;
  if (only) return [{ replicaSet: only, replicas: desired }];
  if (newest && isSaturated(deployment, newest)) return active(old).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  if (deployment.spec?.strategy?.type === "Recreate") return [];
  const allowed = desired > 0 ? desired + fenceposts(deployment).maxSurge : 0;
  const before = deployment.status?.replicas ?? 0;
  return shareOut({ running, difference: allowed - wantedReplicas(running), allowed, before });
}

function isSaturated(deployment: Deployment, newest: ReplicaSet): boolean {
  const desired = deployment.spec?.replicas ?? 1;
  return (
    (newest.spec?.replicas ?? 1) === desired &&
    annotatedCount(newest, desiredReplicasAnnotation) === desired &&
    (newest.status?.availableReplicas ?? 0) === desired
  );
}

function shareOut({
  running,
  difference,
  allowed,
  before,
}: {
  running: readonly ReplicaSet[];
  difference: number;
  allowed: number;
  /** The size to go by where a ReplicaSet does not say for how many it was made. */
  before: number;
}): Scaling[] {
  const size = ({ spec }: ReplicaSet) => spec?.replicas ?? 1;
  // Bigger ones first; of equals the newer grows first and the older shrinks first.
  const sign = difference > 0 ? -1 : 1;
  const sorted = [...running].sort((a, b) => size(b) - size(a) || sign * byCreation(a, b));
  let given = 0;
  const shares = sorted.map((replicaSet) => {
    if (difference === 0) return { replicaSet, replicas: size(replicaSet) };
    const ideal = share(size(replicaSet), {
      allowed,
      before: annotatedCount(replicaSet, maxReplicasAnnotation) || before,
    });
    const left = difference - given;
    const more = difference > 0 ? Math.min(ideal, left) : Math.max(ideal, left);
    given += more;
    return { replicaSet, replicas: size(replicaSet) + more };
  });
  const first = shares[0];
  if (first) shares[0] = { ...first, replicas: Math.max(0, first.replicas + difference - given) };
  return shares;
}

// By how much one grows or shrinks. Upstream's getReplicaSetFraction.
function share(size: number, { allowed, before }: { allowed: number; before: number }): number {
  if (allowed === 0) return -size;
  return before === 0 ? 0 : Math.round((size * allowed) / before) - size;
}

/** The old ReplicaSets that the history has no room for. */
export function planCleanup(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const alive = old.filter(({ metadata }) => !metadata.deletionTimestamp);
  const surplus = alive.length - limit;
  if (surplus <= 0) return [];
  return [...alive]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b))
    .slice(0, surplus)
    .filter(
      ({ metadata, spec, status }) =>
        (status?.replicas ?? 0) === 0 &&
        (spec?.replicas ?? 1) === 0 &&
        (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0),
    );
}
