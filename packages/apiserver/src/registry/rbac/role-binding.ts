// RoleBindings and ClusterRoleBindings: the kinds' declarations.

import { setRoleBindingDefaults } from "@picokube/api/rbac/defaults";
import { type ClusterRoleBinding, clusterrolebindings, type RoleBinding, rolebindings } from "@picokube/api/rbac/v1";
import { ageColumn, column, nameColumn } from "../columns.js";
import { define } from "../define.js";
import type { Column } from "../resource-definition.js";
import {
  validateClusterRoleBinding,
  validateClusterRoleBindingUpdate,
  validateRoleBinding,
  validateRoleBindingUpdate,
} from "./rbac-validation.js";

type AnyBinding = RoleBinding | ClusterRoleBinding;

const subjects = (wanted: string) => (binding: AnyBinding) =>
  (binding.subjects ?? [])
    .filter(({ kind }) => kind === wanted)
    .map(({ name, namespace }) => (wanted === "ServiceAccount" ? `${namespace ?? ""}/${name}` : name))
    .join(", ");

const columns = (of: "RoleBinding" | "ClusterRoleBinding"): Column<AnyBinding>[] => {
  const owner = of === "RoleBinding" ? "roleBinding" : "clusterRoleBinding";
  const wide = (kind: string) => ({ wide: true, description: `${kind} in the ${owner}` });
  return [
    nameColumn,
    column("Role", ({ roleRef }) => `${roleRef?.kind}/${roleRef?.name}`, { field: `rbac.v1.${of}.roleRef` }),
    ageColumn,
    column("Users", subjects("User"), wide("Users")),
    column("Groups", subjects("Group"), wide("Groups")),
    column("ServiceAccounts", subjects("ServiceAccount"), wide("ServiceAccounts")),
  ];
};

/** The definition of rolebindings. */
export const roleBindingDefinition = define<RoleBinding>({
  resource: rolebindings,
  storagePrefix: "rolebindings",
  nameRule: "path-segment",
  applyDefaults: setRoleBindingDefaults,
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateRoleBinding,
  validateUpdate: validateRoleBindingUpdate,
  columns: columns("RoleBinding"),
});

/** The definition of clusterrolebindings. */
export const clusterRoleBindingDefinition = define<ClusterRoleBinding>({
  resource: clusterrolebindings,
  storagePrefix: "clusterrolebindings",
  nameRule: "path-segment",
  applyDefaults: setRoleBindingDefaults,
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateClusterRoleBinding,
  validateUpdate: validateClusterRoleBindingUpdate,
  columns: columns("ClusterRoleBinding"),
});
