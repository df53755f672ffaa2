// Which of a service port's endpoints traffic may go to, by traffic policy, topology hints and state. Pure; mirrors
// upstream's CategorizeEndpoints (pkg/proxy/topology.go).

import type { Endpoint } from "./endpoints.js";

export interface TopologyInput {
  /** Whether traffic ever goes by the Cluster policy, and by the Local one. */
  readonly usesCluster: boolean;
  readonly usesLocal: boolean;
  /** The node's topology.kubernetes.io/zone; "" without. */
  readonly zone: string;
}

export interface CategorizedEndpoints {
  readonly cluster: readonly Endpoint[];
  readonly local: readonly Endpoint[];
  /** Both together, each once. */
  readonly reachable: readonly Endpoint[];
  /** Whether there is a usable one anywhere in the cluster, though perhaps not reachable from here. */
  readonly hasAny: boolean;
}

/** Ready ones, or without any those that still serve while they terminate (KEP-1669), for each policy by itself. */
export function categorizeEndpoints(endpoints: readonly Endpoint[], input: TopologyInput): CategorizedEndpoints {
  const isHere = input.usesCluster ? hintedHere(endpoints, input.zone) : () => true;
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const lastResort = endpoints.filter(({ serving, terminating }) => serving && terminating);
  const cluster = input.usesCluster ? orElse(ready.filter(isHere), lastResort) : [];
  const isLocal = (endpoint: Endpoint) => endpoint.isLocal;
  const local = input.usesLocal ? orElse(ready.filter(isLocal), lastResort.filter(isLocal)) : [];
  const reachable = [...new Set([...cluster, ...local])];
  const hasAny = input.usesLocal ? ready.length + lastResort.length > 0 : cluster.length > 0;
  return { cluster, local, reachable, hasAny };
}

function orElse(first: readonly Endpoint[], second: readonly Endpoint[]): readonly Endpoint[] {
  return first.length > 0 ? first : second;
}

// Hints count only when every ready endpoint has one and at least one of them names this node's zone (upstream:
// topologyModeFromHints; hints for nodes are alpha in 1.33 and off).
function hintedHere(endpoints: readonly Endpoint[], zone: string): (endpoint: Endpoint) => boolean {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const isHinted = ({ zoneHints }: Endpoint) => zoneHints.includes(zone);
  const isUsable = ready.every(({ zoneHints }) => zoneHints.length > 0) && ready.some(isHinted);
  return isUsable ? isHinted : () => true;
}
