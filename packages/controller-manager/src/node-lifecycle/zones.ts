// How fast Nodes may be emptied, by how the zones fare as a whole. Pure: upstream's ComputeZoneState and handleDisruption.

import type { Node } from "@picokube/api/core/v1";
import { ConfigError } from "@picokube/component-base/config-error";
import { findCondition } from "../conditions.js";

export type ZoneState = "Normal" | "PartialDisruption" | "FullDisruption";

export interface EvictionRates {
  /** Nodes a second while a zone is healthy. */
  readonly normalQps: number;
  /** Nodes a second while much of a large zone is down; a small one then stops. */
  readonly secondaryQps: number;
  /** The share of Nodes that makes a zone unhealthy. */
  readonly unhealthyThreshold: number;
  readonly largeZoneSize: number;
}

/** Reads the flags' numbers. */
export function evictionRates(options: {
  readonly nodeEvictionRate: string;
  readonly secondaryNodeEvictionRate: string;
  readonly unhealthyZoneThreshold: string;
  readonly largeClusterSizeThreshold: number;
}): EvictionRates {
  const number = (flag: string, text: string) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value < 0)
      throw new ConfigError(`invalid argument "${text}" for "--${flag}" flag: not a number of 0 or more`);
    return value;
  };
  return {
    normalQps: number("node-eviction-rate", options.nodeEvictionRate),
    secondaryQps: number("secondary-node-eviction-rate", options.secondaryNodeEvictionRate),
    unhealthyThreshold: number("unhealthy-zone-threshold", options.unhealthyZoneThreshold),
    largeZoneSize: options.largeClusterSizeThreshold,
  };
}

/** The Node's region and zone in one. */
export function zoneOf({ metadata }: Node): string {
  const { labels = {} } = metadata;
  return `${labels["topology.kubernetes.io/region"] ?? ""}/${labels["topology.kubernetes.io/zone"] ?? ""}`;
}

/** The state of a zone with these Nodes. */
export function zoneState(nodes: readonly Node[], unhealthyThreshold: number): ZoneState {
  const isReady = ({ status }: Node) => findCondition(status?.conditions, "Ready")?.status === "True";
  const downCount = nodes.filter((node) => !isReady(node)).length;
  if (downCount > 0 && downCount === nodes.length) return "FullDisruption";
  if (downCount > 2 && downCount / nodes.length >= unhealthyThreshold) return "PartialDisruption";
  return "Normal";
}

const excludedLabel = "node.kubernetes.io/exclude-disruption";

/** Nodes a second that may be emptied in each zone; undefined when all are down, for then it is rather we who cannot see. */
export function zoneQps(nodes: readonly Node[], rates: EvictionRates): Map<string, number> | undefined {
  const zones = new Map<string, Node[]>();
  for (const node of nodes) {
    // Whoever takes a Node down for a purpose does not want it to stand for its zone.
    if (node.metadata.labels?.[excludedLabel] !== undefined) continue;
    const zone = zoneOf(node);
    const members = zones.get(zone);
    if (members) members.push(node);
    else zones.set(zone, [node]);
  }
  const states = [...zones].map(([zone, members]) => ({
    zone,
    size: members.length,
    state: zoneState(members, rates.unhealthyThreshold),
  }));
  if (states.length > 0 && states.every(({ state }) => state === "FullDisruption")) return undefined;
  return new Map(
    states.map(({ zone, size, state }) => {
      if (state !== "PartialDisruption") return [zone, rates.normalQps];
      return [zone, size > rates.largeZoneSize ? rates.secondaryQps : 0];
    }),
  );
}
