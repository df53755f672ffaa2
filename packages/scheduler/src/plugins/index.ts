// The plugins in the order they run, with upstream's weights. A new plugin is a file and a line here.

import type { TopologySpreadConstraint } from "@picokube/api/core/v1";
import type { Lookups, WeightedPlugin } from "../framework/plugin.js";
import { imageLocality } from "./image-locality.js";
import { interPodAffinity } from "./inter-pod-affinity.js";
import { nodeAffinity } from "./node-affinity.js";
import { nodeName } from "./node-name.js";
import { nodePorts } from "./node-ports.js";
import { nodeResourcesBalancedAllocation } from "./node-resources-balanced-allocation.js";
import { nodeResourcesFit, type ScoringStrategy } from "./node-resources-fit.js";
import { nodeUnschedulable } from "./node-unschedulable.js";
import { podTopologySpread } from "./pod-topology-spread.js";
import { taintToleration } from "./taint-toleration.js";
import { volumeBinding } from "./volume-binding.js";
import { volumeRestrictions } from "./volume-restrictions.js";
import { volumeZone } from "./volume-zone.js";

/** What KubeSchedulerConfiguration's pluginConfig says. */
export interface PluginArguments {
  readonly scoringStrategy?: ScoringStrategy | undefined;
  readonly bindTimeoutMs?: number | undefined;
  readonly hardPodAffinityWeight?: number | undefined;
  readonly defaultConstraints?: readonly TopologySpreadConstraint[] | undefined;
}

/** Upstream's default plugins; a weight of 0 means that the plugin scores nothing. */
export function defaultPlugins(lookups: Lookups, args: PluginArguments = {}): WeightedPlugin[] {
  const { volumes } = lookups;
  const { scoringStrategy, bindTimeoutMs, hardPodAffinityWeight, defaultConstraints } = args;
  const affinity = { ...lookups, ...(hardPodAffinityWeight === undefined ? {} : { hardPodAffinityWeight }) };
  const spread = { ...lookups, ...(defaultConstraints === undefined ? {} : { defaultConstraints }) };
  return [
    { plugin: nodeUnschedulable, weight: 0 },
    { plugin: nodeName, weight: 0 },
    { plugin: taintToleration, weight: 3 },
    { plugin: nodeAffinity, weight: 2 },
    { plugin: nodePorts, weight: 0 },
    { plugin: nodeResourcesFit(scoringStrategy), weight: 1 },
    { plugin: volumeRestrictions(volumes), weight: 0 },
    { plugin: volumeBinding(volumes, { bindTimeoutMs }), weight: 0 },
    { plugin: volumeZone(volumes), weight: 0 },
    { plugin: podTopologySpread(spread), weight: 2 },
    { plugin: interPodAffinity(affinity), weight: 2 },
    { plugin: nodeResourcesBalancedAllocation, weight: 1 },
    { plugin: imageLocality, weight: 1 },
  ];
}
