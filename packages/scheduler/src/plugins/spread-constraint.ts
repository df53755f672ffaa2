// Topology spread constraints, parsed, and the counting that filter and score share. Pure.

import { requiredNodeAffinityMatches } from "@picokube/api/core/node-affinity";
import { tolerates } from "@picokube/api/core/tolerations";
import type { Pod, TopologySpreadConstraint } from "@picokube/api/core/v1";
import type { LabelSelector } from "@picokube/api/meta/v1";
import { type Selector, selectorFromLabelSelector, selectorOf } from "@picokube/api/selectors/labels";
import type { NodeInfo } from "../framework/node-info.js";

export interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: Selector;
  readonly honorNodeAffinity: boolean;
  readonly honorNodeTaints: boolean;
}

/** The pod's constraints of one kind; labels of matchLabelKeys are taken over into the selector. */
export function constraintsOf(
  pod: Pod,
  constraints: readonly TopologySpreadConstraint[],
  whenUnsatisfiable: string,
): Constraint[] {
  return constraints
    .filter((constraint) => constraint.whenUnsatisfiable === whenUnsatisfiable)
    .map((constraint) => {
      const selector = selectorFromLabelSelector(constraint.labelSelector as LabelSelector | undefined);
      const labels = pod.metadata.labels ?? {};
      const own = (constraint.matchLabelKeys ?? []).filter((key) => Object.hasOwn(labels, key));
      return {
        topologyKey: constraint.topologyKey,
        maxSkew: constraint.maxSkew,
        minDomains: constraint.minDomains ?? 1,
        selector:
          own.length === 0
            ? selector
            : selectorOf([
                ...selector.requirements,
                ...own.map((key) => ({ key, operator: "in" as const, values: [labels[key]!] })),
              ]),
        honorNodeAffinity: (constraint.nodeAffinityPolicy ?? "Honor") === "Honor",
        honorNodeTaints: constraint.nodeTaintsPolicy === "Honor",
      };
    });
}

/** Whether a node's pods count for the constraint. */
export function nodeCounts(pod: Pod, node: NodeInfo, { honorNodeAffinity, honorNodeTaints }: Constraint): boolean {
  if (honorNodeAffinity && !requiredNodeAffinityMatches(pod, node)) return false;
  const hard = (node.node.spec?.taints ?? []).filter(({ effect }) => effect !== "PreferNoSchedule");
  return !honorNodeTaints || hard.every((taint) => tolerates(pod.spec?.tolerations, taint));
}

/** How many pods of the namespace on the node the selector means; those that are going do not count. */
export function countMatching({ pods }: NodeInfo, selector: Selector, namespace: string | undefined): number {
  let count = 0;
  for (const { pod } of pods.values()) {
    if (pod.metadata.deletionTimestamp === undefined && pod.metadata.namespace === namespace) {
      if (selector.matches(pod.metadata.labels)) count++;
    }
  }
  return count;
}
