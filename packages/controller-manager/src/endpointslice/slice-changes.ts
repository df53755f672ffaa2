// What is to become of one Service's slices of one address type, before it is written. Pure.

import type { Endpoint, EndpointSlice } from "@picokube/api/discovery/v1";
import type { NewObject } from "@picokube/api/meta/v1";

export interface SliceChanges {
  readonly create: readonly NewObject<EndpointSlice>[];
  readonly update: readonly EndpointSlice[];
  readonly unchanged: readonly EndpointSlice[];
}

export function isEndpointReady({ conditions }: Endpoint): boolean {
  return conditions?.ready === true;
}

/** The endpoint with hints for these zones; none: without hints. */
export function withZones({ hints: _, ...endpoint }: Endpoint, zones: readonly string[]): Endpoint {
  return zones.length === 0 ? endpoint : { ...endpoint, hints: { forZones: zones.map((name) => ({ name })) } };
}

/** Rewrites the endpoints of what is written anyway, and writes what else mustChange too. */
export function rewritten(
  { create, update, unchanged }: SliceChanges,
  { mustChange, write }: { mustChange(slice: EndpointSlice): boolean; write(endpoint: Endpoint): Endpoint },
): SliceChanges {
  const rewrite = <T extends { endpoints?: Endpoint[] | null }>(slice: T): T => ({
    ...slice,
    endpoints: (slice.endpoints ?? []).map(write),
  });
  return {
    create: create.map(rewrite),
    update: [...update, ...unchanged.filter(mustChange)].map(rewrite),
    unchanged: unchanged.filter((slice) => !mustChange(slice)),
  };
}

/** Upstream's RemoveHintsFromSlices. */
export function withoutHints(changes: SliceChanges): SliceChanges {
  return rewritten(changes, {
    mustChange: ({ endpoints }) => (endpoints ?? []).some(({ hints }) => hints !== undefined),
    write: (endpoint) => withZones(endpoint, []),
  });
}

/** trafficDistribution PreferClose: an endpoint is for its own zone (upstream: trafficdist.ReconcileHints). */
export function withSameZoneHints(changes: SliceChanges): SliceChanges {
  const isRight = ({ zone, hints }: Endpoint) => {
    const zones = hints?.forZones ?? [];
    return zone ? zones.length === 1 && zones[0]!.name === zone : zones.length === 0;
  };
  return rewritten(changes, {
    mustChange: ({ endpoints }) =>
      (endpoints ?? []).some((endpoint) => isEndpointReady(endpoint) && !isRight(endpoint)),
    write: (endpoint) =>
      isEndpointReady(endpoint) ? withZones(endpoint, endpoint.zone ? [endpoint.zone] : []) : endpoint,
  });
}
