// Keeps the rules of aggregated ClusterRoles: admin, edit and view show what they allow.
// Watches: ClusterRoles. Writes: their rules.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { isNotFound } from "@picokube/api/errors";
import { clusterroles } from "@picokube/api/rbac/v1";
import type { Controller } from "@picokube/client/controller";
import type { ObjectKey } from "@picokube/client/informer";
import { mapped } from "@picokube/client/watch-sources";
import type { Dependencies } from "../dependencies.js";
import { aggregateRules } from "./aggregate-rules.js";

/** Upstream's clusterrole-aggregation-controller. */
export function clusterRoleAggregationController({ client, informers }: Dependencies): Controller {
  const roleInformer = informers.for(clusterroles);

  async function reconcile(name: ObjectKey): Promise<void> {
    const role = roleInformer.get(name);
    if (!role?.aggregationRule) return;
    const rules = aggregateRules(role, roleInformer.list());
    if (semanticDeepEqual(rules, role.rules ?? [])) return;
    try {
      await client.update(clusterroles, { ...role, rules });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  // Any role may be chosen by any selector, and a change of labels ends a choice: all aggregated ones are looked at.
  const aggregated = () =>
    roleInformer
      .list()
      .filter(({ aggregationRule }) => aggregationRule)
      .map(({ metadata }) => metadata.name);
  return { name: "clusterrole-aggregation-controller", watches: [mapped(roleInformer, aggregated)], reconcile };
}
