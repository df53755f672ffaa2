// Hints of Services that ask for topology-aware routing: each endpoint is for its own zone, save those that a zone with less
// CPU gives to one with more. Keeps how many endpoints each zone was given; writes nothing.

import type { Node } from "@picokube/api/core/v1";
import type { Endpoint, EndpointSlice } from "@picokube/api/discovery/v1";
import type { ObjectKey } from "@picokube/client/informer";
import { isEndpointReady, rewritten, type SliceChanges, withoutHints, withZones } from "./slice-changes.js";
import { type Allocation, allocate, cpuShares, isOverloaded, transfers } from "./zone-allocations.js";

type AddressType = EndpointSlice["addressType"];
type Counts = Map<string, number>;

export interface HintsEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: "TopologyAwareHintsEnabled" | "TopologyAwareHintsDisabled";
  readonly message: string;
}

export interface TopologyHints {
  /** Nodes came, went, became ready or moved to another zone; they are listed when somebody asks for hints. */
  nodesChanged(list: () => readonly Node[]): void;
  /** Services whose hints do not fit the nodes any more. */
  overloaded(): ObjectKey[];
  add(key: ObjectKey, addressType: AddressType, changes: SliceChanges): { changes: SliceChanges; event?: HintsEvent };
  /** The Service asks for no hints; the event says so if it had some. */
  remove(key: ObjectKey, addressType: AddressType): HintsEvent | undefined;
  forget(key: ObjectKey): void;
}

/** Upstream's TopologyCache. */
export function createTopologyHints(): TopologyHints {
  let known: { shares: ReadonlyMap<string, number> | undefined } | undefined;
  let nodes: () => readonly Node[] = () => [];
  const hinted = new Map<ObjectKey, Map<AddressType, Counts>>();
  // As upstream keeps it: a Service that loses the hints of one address type tells anew when it has hints again.
  const told = new Set<ObjectKey>();

  function shares(): ReadonlyMap<string, number> | undefined {
    known ??= { shares: cpuShares(nodes()) };
    return known.shares;
  }

  function drop(key: ObjectKey, addressType: AddressType): void {
    const ofService = hinted.get(key);
    ofService?.delete(addressType);
    if (ofService?.size === 0) hinted.delete(key);
    told.delete(key);
  }

  return {
    nodesChanged(list) {
      nodes = list;
      known = undefined;
    },
    overloaded: () =>
      [...hinted]
        .filter(([, byType]) => [...byType.values()].some((counts) => isOverloaded(counts, shares())))
        .map(([key]) => key),
    add(key, addressType, changes) {
      const given = zoneHints(changes, shares());
      if (typeof given === "string") {
        drop(key, addressType);
        const message = `${given}, addressType: ${addressType}`;
        return { changes: withoutHints(changes), event: disabled(message) };
      }
      const ofService = hinted.get(key) ?? new Map<AddressType, Counts>();
      hinted.set(key, ofService.set(addressType, given.counts));
      if (told.has(key)) return { changes: given.changes };
      told.add(key);
      const message = `Topology Aware Hints has been enabled, addressType: ${addressType}`;
      return { changes: given.changes, event: { type: "Normal", reason: "TopologyAwareHintsEnabled", message } };
    },
    remove(key, addressType) {
      const had = told.has(key);
      drop(key, addressType);
      return had ? disabled(`Topology Aware Hints has been disabled, addressType: ${addressType}`) : undefined;
    },
    forget(key) {
      hinted.delete(key);
      told.delete(key);
    },
  };
}

function disabled(message: string): HintsEvent {
  return { type: "Warning", reason: "TopologyAwareHintsDisabled", message };
}

// Or why there can be none (upstream: AddHints). Slices whose hints may stay are left alone.
function zoneHints(
  changes: SliceChanges,
  shares: ReadonlyMap<string, number> | undefined,
): { changes: SliceChanges; counts: Counts } | string {
  const ready = [...changes.create, ...changes.update, ...changes.unchanged].flatMap(({ endpoints }) =>
    (endpoints ?? []).filter(isEndpointReady),
  );
  const allocations = allocate(shares, ready.length);
  if (typeof allocations === "string") return allocations;
  const counts: Counts = new Map();
  const stay = new Set<EndpointSlice>();
  for (const slice of changes.unchanged) {
    const own = hintsThatMayStay(slice, { counts, allocations });
    if (!own) continue;
    stay.add(slice);
    for (const [zone, count] of own) add(counts, zone, count);
  }
  const moving = [
    ...changes.create,
    ...changes.update,
    ...changes.unchanged.filter((slice) => !stay.has(slice)),
  ].flatMap(({ endpoints }) => (endpoints ?? []).filter(isEndpointReady));
  if (moving.some(({ zone }) => !zone)) return "One or more endpoints do not have a zone specified";
  for (const { zone } of moving) add(counts, zone!, 1);
  const zones = redistribute(moving, { counts, allocations });
  if (counts.size === 0) return "No hints allocated for zones";
  return {
    counts,
    changes: rewritten(changes, {
      mustChange: (slice) => !stay.has(slice),
      write: (endpoint) => withZones(endpoint, isEndpointReady(endpoint) ? [zones.get(endpoint)!] : []),
    }),
  };
}

function add(counts: Counts, zone: string, count: number): void {
  counts.set(zone, (counts.get(zone) ?? 0) + count);
}

// Undefined: a ready endpoint lacks hints, a zone is no zone any more, or has more than it may (upstream: getHintsByZone).
function hintsThatMayStay(
  { endpoints }: EndpointSlice,
  { counts, allocations }: { counts: Counts; allocations: ReadonlyMap<string, Allocation> },
): Counts | undefined {
  const own: Counts = new Map();
  for (const endpoint of (endpoints ?? []).filter(isEndpointReady)) {
    const zones = endpoint.hints?.forZones ?? [];
    if (zones.length === 0 || zones.some(({ name }) => !allocations.has(name))) return undefined;
    for (const { name } of zones) add(own, name, 1);
  }
  for (const [zone, count] of own)
    if (count + (counts.get(zone) ?? 0) > allocations.get(zone)!.maximum) return undefined;
  return own;
}

// The zone that each endpoint is for; counts follow (upstream: redistributeHints).
function redistribute(
  endpoints: readonly Endpoint[],
  { counts, allocations }: { counts: Counts; allocations: ReadonlyMap<string, Allocation> },
): Map<Endpoint, string> {
  const { giving, receiving } = transfers(allocations, counts);
  return new Map(
    endpoints.map((endpoint) => {
      const zone = endpoint.zone!;
      const [receiver] = [...receiving].filter(([, count]) => count > 0);
      if (!receiver || (giving.get(zone) ?? 0) <= 0) return [endpoint, zone];
      add(giving, zone, -1);
      add(receiving, receiver[0], -1);
      add(counts, zone, -1);
      add(counts, receiver[0], 1);
      return [endpoint, receiver[0]];
    }),
  );
}
