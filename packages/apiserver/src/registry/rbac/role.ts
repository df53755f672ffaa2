// Roles and ClusterRoles: the kinds' declarations. That nobody grants more than they have is checked by authz.

import { type ClusterRole, clusterroles, type Role, roles } from "@picokube/api/rbac/v1";
import { createdAtColumn, nameColumn } from "../columns.js";
import { define } from "../define.js";
import { validateClusterRole, validateRole } from "./rbac-validation.js";

/** The definition of roles. */
export const roleDefinition = define<Role>({
  resource: roles,
  storagePrefix: "roles",
  nameRule: "path-segment",
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateRole,
  validateUpdate: validateRole,
  columns: [nameColumn, createdAtColumn],
});

/** The definition of clusterroles. */
export const clusterRoleDefinition = define<ClusterRole>({
  resource: clusterroles,
  storagePrefix: "clusterroles",
  nameRule: "path-segment",
  hasStatus: false,
  hasGeneration: false,
  allowCreateOnUpdate: true,
  validate: validateClusterRole,
  validateUpdate: validateClusterRole,
  columns: [nameColumn, createdAtColumn],
});
