// Nobody grants what they do not hold, unless they may escalate or bind (upstream: registry/rbac policybased). Always on:
// without it the right to write roles would be the right to everything.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import {
  type ClusterRole,
  clusterrolebindings,
  clusterroles,
  type PolicyRule,
  type Role,
  type RoleBinding,
  rolebindings,
  roles,
} from "@picokube/api/rbac/v1";
import type { Authorizer } from "../authz/authorizer.js";
import { ruleWords, uncoveredRules } from "../authz/rule-cover.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { AdmissionAttributes, AdmissionPlugin } from "./admission.js";
import { admissionForbidden, concerns } from "./forbidden.js";

export function rbacEscalation(storage: StorageRegistry, authorizer: Authorizer): AdmissionPlugin {
  async function mayDo(
    attributes: AdmissionAttributes,
    { verb, resource, name }: { verb: "escalate" | "bind"; resource: string; name: string },
  ): Promise<boolean> {
    const { user, namespace } = attributes;
    const asked = { group: clusterroles.group, version: "v1", resource, subresource: "", namespace, name };
    const { decision } = await authorizer.authorize({ user, verb, path: "", resource: asked });
    return decision === "Allow";
  }

  function refuseUncovered(attributes: AdmissionAttributes, wanted: readonly PolicyRule[]): void {
    const { user, namespace } = attributes;
    const { resourceRules, nonResourceRules } = authorizer.rulesFor(user, namespace);
    const missing = uncoveredRules([...resourceRules, ...nonResourceRules] as PolicyRule[], wanted);
    if (missing.length === 0) return;
    const groups = user.groups.map((group) => JSON.stringify(group)).join(" ");
    const words = missing.map(ruleWords).sort().join("\n");
    throw admissionForbidden(
      attributes,
      `user ${JSON.stringify(user.name)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${words}`,
    );
  }

  async function checkRole(attributes: AdmissionAttributes): Promise<void> {
    const role = attributes.object as Role | ClusterRole;
    const old = attributes.oldObject as Role | ClusterRole | undefined;
    const aggregation = (object: Role | ClusterRole | undefined) =>
      (object as ClusterRole | undefined)?.aggregationRule;
    if (old && semanticDeepEqual(old.rules, role.rules) && semanticDeepEqual(aggregation(old), aggregation(role)))
      return;
    const { resource } = attributes.resource;
    if (await mayDo(attributes, { verb: "escalate", resource, name: role.metadata.name })) return;
    // Aggregation may bring in anything, so only who holds everything may ask for it.
    const everything = [
      { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
      { verbs: ["*"], nonResourceURLs: ["*"] },
    ];
    refuseUncovered(attributes, aggregation(role) ? everything : (role.rules ?? []));
  }

  async function checkBinding(attributes: AdmissionAttributes): Promise<void> {
    const { roleRef, subjects } = attributes.object as RoleBinding;
    const old = attributes.oldObject as RoleBinding | undefined;
    if (old && semanticDeepEqual(old.subjects, subjects) && semanticDeepEqual(old.roleRef, roleRef)) return;
    const resource = roleRef.kind === "ClusterRole" ? clusterroles.resource : roles.resource;
    if (await mayDo(attributes, { verb: "bind", resource, name: roleRef.name })) return;
    if (roleRef.kind === "ClusterRole") {
      const role = storage.for(clusterroles).get("", roleRef.name);
      if (!role)
        throw admissionForbidden(attributes, `clusterrole.rbac.authorization.k8s.io "${roleRef.name}" not found`);
      refuseUncovered(attributes, role.rules ?? []);
      return;
    }
    const role = storage.for(roles).get(attributes.namespace, roleRef.name);
    if (!role) throw admissionForbidden(attributes, `role.rbac.authorization.k8s.io "${roleRef.name}" not found`);
    refuseUncovered(attributes, role.rules ?? []);
  }

  return {
    name: "RBACEscalation",
    async validate(attributes) {
      const { operation, object, user } = attributes;
      if (!object || (operation !== "CREATE" && operation !== "UPDATE")) return;
      if (user.groups.includes("system:masters")) return;
      if (concerns(attributes, roles) || concerns(attributes, clusterroles)) await checkRole(attributes);
      else if (concerns(attributes, rolebindings) || concerns(attributes, clusterrolebindings))
        await checkBinding(attributes);
    },
  };
}
