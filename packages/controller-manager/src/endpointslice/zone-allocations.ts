// How many of a Service's endpoints each zone should have, by its share of the cluster's CPU. Pure: upstream's
// topologycache, the arithmetic.

import type { Node } from "@picokube/api/core/v1";
import { parseQuantity } from "@picokube/api/quantity";
import { findCondition } from "../conditions.js";

/** No endpoint should have to bear more than this above its share. */
const overloadThreshold = 0.2;
const zoneLabel = "topology.kubernetes.io/zone";
const excludingLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

export interface Allocation {
  readonly minimum: number;
  readonly maximum: number;
  readonly desired: number;
}

/** Each zone's share of the ready nodes' CPU; undefined when a node does not say enough, or there are not two zones
 *  (upstream: SetNodes). */
export function cpuShares(nodes: readonly Node[]): Map<string, number> | undefined {
  const cpus = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    const labels = metadata.labels ?? {};
    if (excludingLabels.some((label) => label in labels)) continue;
    if (findCondition(status?.conditions, "Ready")?.status !== "True") continue;
    const zone = labels[zoneLabel];
    const cpu = parseQuantity(status?.allocatable?.cpu ?? "0").milliValue();
    if (!zone || cpu === 0) return undefined;
    total += cpu;
    cpus.set(zone, (cpus.get(zone) ?? 0) + cpu);
  }
  if (total === 0 || cpus.size < 2) return undefined;
  return new Map([...cpus].map(([zone, cpu]) => [zone, cpu / total]));
}

/** The zones' allocations; or why there can be none, in upstream's words (getAllocations). */
export function allocate(
  shares: ReadonlyMap<string, number> | undefined,
  endpointCount: number,
): ReadonlyMap<string, Allocation> | string {
  if (!shares) return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const counts = `(${endpointCount} endpoints, ${shares.size} zones)`;
  if (shares.size > endpointCount) return `Insufficient number of endpoints ${counts}`;
  const wanted = [...shares].map(([zone, share]) => {
    const desired = share * endpointCount;
    const minimum = Math.ceil(desired * (1 / (1 + overloadThreshold)));
    return { zone, minimum, desired: Math.max(desired, minimum) };
  });
  const left = endpointCount - wanted.reduce((sum, { minimum }) => sum + minimum, 0);
  if (left < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${counts}`;
  return new Map(wanted.map(({ zone, minimum, desired }) => [zone, { minimum, desired, maximum: minimum + left }]));
}

/** Whether a zone has fewer endpoints than it needs (upstream: serviceOverloaded). */
export function isOverloaded(
  hinted: ReadonlyMap<string, number>,
  shares: ReadonlyMap<string, number> | undefined,
): boolean {
  if (hinted.size === 0) return false;
  if (!shares) return true;
  const total = [...hinted.values()].reduce((sum, count) => sum + count, 0);
  return [...shares].some(
    ([zone, share]) => (hinted.get(zone) ?? -1) < Math.ceil(total * share * (1 / (1 + overloadThreshold))),
  );
}

/** How many endpoints which zones give and receive (upstream: getGivingAndReceivingZones). */
export function transfers(
  allocations: ReadonlyMap<string, Allocation>,
  hinted: ReadonlyMap<string, number>,
): { giving: Map<string, number>; receiving: Map<string, number> } {
  const surplus = new Map<string, number>();
  const need = new Map<string, number>();
  for (const [zone, { desired }] of allocations) {
    const difference = (hinted.get(zone) ?? 0) - desired;
    if (difference > 0) surplus.set(zone, difference);
    else if (difference < 0) need.set(zone, -difference);
  }
  const giving = new Map<string, number>();
  const receiving = new Map<string, number>();
  for (;;) {
    const from = most(surplus);
    const to = most(need);
    if (!from || !to || (from.count < 1 && to.count < 1) || from.count < 0.5 || to.count < 0.5) break;
    for (const [one, left, moved] of [
      [from, surplus, giving],
      [to, need, receiving],
    ] as const) {
      left.set(one.zone, one.count - 1);
      moved.set(one.zone, (moved.get(one.zone) ?? 0) + 1);
    }
  }
  return { giving, receiving };
}

function most(zones: ReadonlyMap<string, number>): { zone: string; count: number } | undefined {
  let found: { zone: string; count: number } | undefined;
  for (const [zone, count] of zones) if (count > (found?.count ?? 0)) found = { zone, count };
  return found;
}
