// The bindings and the namespaced roles that every cluster starts with, as data (upstream: bootstrappolicy).

import type { PolicyRule, Subject } from "@picokube/api/rbac/v1";
import { controllerRoleName, controllersWithRoles } from "./default-controller-roles.js";
import { eventsRule, READ, rule } from "./rule.js";

const RBAC = "rbac.authorization.k8s.io";
const user = (name: string): Subject => ({ kind: "User", apiGroup: RBAC, name });
const group = (name: string): Subject => ({ kind: "Group", apiGroup: RBAC, name });
const account = (namespace: string, name: string): Subject => ({ kind: "ServiceAccount", namespace, name });

const AUTHENTICATED = group("system:authenticated");
const UNAUTHENTICATED = group("system:unauthenticated");
const SCHEDULER = user("system:kube-scheduler");
const CONTROLLER_MANAGER = user("system:kube-controller-manager");

export interface DefaultBinding {
  readonly name: string;
  readonly role: string;
  readonly subjects: readonly Subject[];
}

/** Every default ClusterRoleBinding. */
export const defaultClusterRoleBindings: readonly DefaultBinding[] = [
  { name: "cluster-admin", role: "cluster-admin", subjects: [group("system:masters")] },
  { name: "system:monitoring", role: "system:monitoring", subjects: [group("system:monitoring")] },
  { name: "system:discovery", role: "system:discovery", subjects: [AUTHENTICATED] },
  { name: "system:basic-user", role: "system:basic-user", subjects: [AUTHENTICATED] },
  {
    name: "system:public-info-viewer",
    role: "system:public-info-viewer",
    subjects: [AUTHENTICATED, UNAUTHENTICATED],
  },
  { name: "system:node-proxier", role: "system:node-proxier", subjects: [user("system:kube-proxy")] },
  {
    name: "system:kube-controller-manager",
    role: "system:kube-controller-manager",
    subjects: [CONTROLLER_MANAGER],
  },
  { name: "system:kube-dns", role: "system:kube-dns", subjects: [account("kube-system", "kube-dns")] },
  { name: "system:cluster-dns", role: "system:cluster-dns", subjects: [user("system:cluster-dns")] },
  { name: "system:kube-scheduler", role: "system:kube-scheduler", subjects: [SCHEDULER] },
  { name: "system:volume-scheduler", role: "system:volume-scheduler", subjects: [SCHEDULER] },
  { name: "system:node", role: "system:node", subjects: [] },
  {
    name: "system:service-account-issuer-discovery",
    role: "system:service-account-issuer-discovery",
    subjects: [group("system:serviceaccounts")],
  },
  ...controllersWithRoles.map((controller) => ({
    name: controllerRoleName(controller),
    role: controllerRoleName(controller),
    // The controller-manager runs all its loops as one user; upstream's note on --use-service-account-credentials says
    // that this user must then hold every controller's role.
    subjects: [account("kube-system", controller), CONTROLLER_MANAGER],
  })),
];

export interface DefaultRole {
  readonly namespace: string;
  readonly name: string;
  readonly rules: readonly PolicyRule[];
}

const leaderLocking = (component: string): DefaultRole => ({
  namespace: "kube-system",
  name: `system::leader-locking-${component}`,
  rules: [
    rule("watch", "core", "configmaps"),
    rule("get update", "core", "configmaps", component),
    ...(component === "kube-controller-manager"
      ? [rule(`create ${READ} update`, "coordination.k8s.io", "leases")]
      : []),
  ],
});

/** Every default Role. */
export const defaultRoles: readonly DefaultRole[] = [
  {
    namespace: "kube-system",
    name: "extension-apiserver-authentication-reader",
    rules: [rule(READ, "core", "configmaps", "extension-apiserver-authentication")],
  },
  { namespace: "kube-system", name: "system:controller:bootstrap-signer", rules: [rule(READ, "core", "secrets")] },
  {
    namespace: "kube-system",
    name: "system:controller:cloud-provider",
    rules: [rule(`create ${READ}`, "core", "configmaps")],
  },
  {
    namespace: "kube-system",
    name: "system:controller:token-cleaner",
    rules: [rule(`delete ${READ}`, "core", "secrets"), eventsRule],
  },
  leaderLocking("kube-controller-manager"),
  leaderLocking("kube-scheduler"),
  {
    namespace: "kube-public",
    name: "system:controller:bootstrap-signer",
    rules: [rule(READ, "core", "configmaps"), rule("update", "core", "configmaps", "cluster-info"), eventsRule],
  },
];

/** Every default RoleBinding. */
export const defaultRoleBindings: readonly (DefaultBinding & { readonly namespace: string })[] = [
  {
    namespace: "kube-system",
    name: "system::extension-apiserver-authentication-reader",
    role: "extension-apiserver-authentication-reader",
    subjects: [CONTROLLER_MANAGER, SCHEDULER],
  },
  {
    namespace: "kube-system",
    name: "system::leader-locking-kube-controller-manager",
    role: "system::leader-locking-kube-controller-manager",
    subjects: [
      CONTROLLER_MANAGER,
      account("kube-system", "kube-controller-manager"),
      account("kube-system", "leader-election-controller"),
    ],
  },
  {
    namespace: "kube-system",
    name: "system::leader-locking-kube-scheduler",
    role: "system::leader-locking-kube-scheduler",
    subjects: [SCHEDULER, account("kube-system", "kube-scheduler")],
  },
  ...["bootstrap-signer", "cloud-provider", "token-cleaner"].map((name) => ({
    namespace: "kube-system",
    name: `system:controller:${name}`,
    role: `system:controller:${name}`,
    subjects: [account("kube-system", name)],
  })),
  {
    namespace: "kube-public",
    name: "system:controller:bootstrap-signer",
    role: "system:controller:bootstrap-signer",
    subjects: [account("kube-system", "bootstrap-signer")],
  },
];
