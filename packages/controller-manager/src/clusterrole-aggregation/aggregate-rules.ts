// The rules of an aggregated ClusterRole: those of every other role that its selectors choose. Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { ClusterRole, PolicyRule } from "@picokube/api/rbac/v1";
import { selectorFromLabelSelector } from "@picokube/api/selectors/labels";

/** Each rule once, in the order of selectors and, within one, of the roles' names. */
export function aggregateRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const rules: PolicyRule[] = [];
  const sorted = [...all].sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
  for (const wanted of role.aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFromLabelSelector(wanted);
    for (const { metadata, rules: chosen = [] } of sorted) {
      if (metadata.name === role.metadata.name || !selector.matches(metadata.labels)) continue;
      for (const rule of chosen) if (!rules.some((known) => semanticDeepEqual(known, rule))) rules.push(rule);
    }
  }
  return rules;
}
