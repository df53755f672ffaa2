// Defaults of role bindings (upstream: pkg/apis/rbac/v1/defaults.go). Pure, in place, idempotent.

import type { ClusterRoleBinding, RoleBinding } from "./v1.js";

const groupName = "rbac.authorization.k8s.io";

/** The API groups of roleRef and subjects. */
export function setRoleBindingDefaults({ roleRef, subjects }: RoleBinding | ClusterRoleBinding): void {
  if (roleRef) roleRef.apiGroup ||= groupName;
  for (const subject of subjects ?? []) {
    if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= groupName;
  }
}
