// Which ended containers are too many: upstream's container garbage collection (kuberuntime_gc.go), of living pods. Their
// newest attempt always stays, whatever the flags: restarts, back-off and status are reckoned from it. Pure.

import type { ContainerStatus } from "../cri/runtime.js";
import type { DeadContainerPolicy } from "../parts.js";

type Container = Pick<ContainerStatus, "id" | "podUid" | "name" | "state" | "createdAt" | "attempt">;

/** What is collected besides the policy: the time, and whether the limit over all containers counts. */
export interface Collection {
  readonly policy: DeadContainerPolicy;
  readonly nowMs: number;
}

const newestFirst = (a: Container, b: Container) => b.createdAt - a.createdAt || b.attempt - a.attempt;

/** Ended containers by pod and name, newest first: upstream's evict units; those too young are not among them. */
function evictUnits(containers: readonly Container[], { policy, nowMs }: Collection): Container[][] {
  const units = new Map<string, Container[]>();
  const current = new Set<string>();
  for (const container of [...containers].sort(newestFirst)) {
    const key = `${container.podUid} ${container.name}`;
    const isCurrent = !current.has(key);
    current.add(key);
    if (container.state === "running" || container.state === "unknown") continue;
    // One that was never started has nothing to remember, unless it is about to be.
    if (container.state === "created" && isCurrent) continue;
    if (nowMs - container.createdAt < policy.minAgeMs) continue;
    units.set(key, [...(units.get(key) ?? []), container]);
  }
  return [...units.values()];
}

/** The ids of those that go: what each container has too many of, then what all have together. */
export function excessContainers(containers: readonly Container[], collection: Collection): string[] {
  const { maxPerContainer, max } = collection.policy;
  const newest = new Map<string, string>();
  for (const { podUid, name, id } of [...containers].sort(newestFirst)) {
    const key = `${podUid} ${name}`;
    if (!newest.has(key)) newest.set(key, id);
  }
  const mustStay = new Set(newest.values());
  const gone: string[] = [];
  let units = evictUnits(containers, collection);
  const keep = (most: number) => {
    units = units.map((unit) => {
      // What never ran counts for nothing, and goes first.
      const ran = unit.filter(({ state }) => state !== "created");
      const kept = ran.filter((container, index) => index < most || mustStay.has(container.id));
      gone.push(...unit.filter((container) => !kept.includes(container)).map(({ id }) => id));
      return kept;
    });
  };
  if (maxPerContainer >= 0) keep(maxPerContainer);
  const count = () => units.reduce((sum, unit) => sum + unit.length, 0);
  if (max < 0 || count() <= max) return gone;
  keep(Math.max(1, Math.floor(max / units.filter(({ length }) => length > 0).length)));
  const oldestFirst = units.flat().sort((a, b) => newestFirst(b, a));
  for (const { id } of oldestFirst.filter((container) => !mustStay.has(container.id)).slice(0, count() - max)) {
    gone.push(id);
  }
  return gone;
}
