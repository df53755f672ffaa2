// Group "rbac.authorization.k8s.io" version v1: the types and names of its kinds.

import type { IClusterRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRole";
import type { IClusterRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/ClusterRoleBinding";
import type { IPolicyRule } from "kubernetes-models/rbac.authorization.k8s.io/v1/PolicyRule";
import type { IRole } from "kubernetes-models/rbac.authorization.k8s.io/v1/Role";
import type { IRoleBinding } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleBinding";
import type { IRoleRef } from "kubernetes-models/rbac.authorization.k8s.io/v1/RoleRef";
import type { ISubject } from "kubernetes-models/rbac.authorization.k8s.io/v1/Subject";
import type { Kind } from "../meta/v1.js";
import type { Resource } from "../resource.js";

export type Role = Kind<IRole>;
export const roles: Resource<Role> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "Role",
  resource: "roles",
  singular: "role",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type RoleBinding = Kind<IRoleBinding>;
export const rolebindings: Resource<RoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "RoleBinding",
  resource: "rolebindings",
  singular: "rolebinding",
  namespaced: true,
  shortNames: [],
  categories: [],
};

export type ClusterRole = Kind<IClusterRole>;
export const clusterroles: Resource<ClusterRole> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRole",
  resource: "clusterroles",
  singular: "clusterrole",
  namespaced: false,
  shortNames: [],
  categories: [],
};

export type ClusterRoleBinding = Kind<IClusterRoleBinding>;
export const clusterrolebindings: Resource<ClusterRoleBinding> = {
  group: "rbac.authorization.k8s.io",
  version: "v1",
  kind: "ClusterRoleBinding",
  resource: "clusterrolebindings",
  singular: "clusterrolebinding",
  namespaced: false,
  shortNames: [],
  categories: [],
};
export type PolicyRule = IPolicyRule;
export type RoleRef = IRoleRef;
export type Subject = ISubject;
