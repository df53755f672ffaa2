// Writes the default roles and bindings, and repairs them at each start: what is missing is added, what people added
// stays (upstream: the post-start hook rbac/bootstrap-roles). Objects whose annotation forbids it are left alone.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { KubernetesObject, NewObject } from "@picokube/api/meta/v1";
import {
  clusterrolebindings,
  clusterroles,
  type PolicyRule,
  type RoleRef,
  rolebindings,
  roles,
  type Subject,
} from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import {
  type DefaultBinding,
  defaultClusterRoleBindings,
  defaultRoleBindings,
  defaultRoles,
} from "../authz/default-bindings.js";
import { defaultControllerRoles } from "../authz/default-controller-roles.js";
import { type DefaultClusterRole, defaultClusterRoles } from "../authz/default-roles.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { ensure } from "./ensure.js";

const AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate";
const GROUP = "rbac.authorization.k8s.io";

function metadata(name: string, options?: { namespace?: string; labels?: { readonly [key: string]: string } }) {
  return {
    name,
    ...(options?.namespace ? { namespace: options.namespace } : {}),
    labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...options?.labels },
    annotations: { [AUTO_UPDATE]: "true" },
  };
}

const mayRepair = (object: KubernetesObject): boolean => object.metadata.annotations?.[AUTO_UPDATE] !== "false";

/** A rule's words in one order: the registry keeps lists as they were written. */
const normal = (rule: PolicyRule): string => JSON.stringify(Object.entries(rule).sort(([a], [b]) => (a < b ? -1 : 1)));

function missingRules(existing: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const known = new Set(existing.map(normal));
  return wanted.filter((rule) => !known.has(normal(rule)));
}

interface RoleLike extends KubernetesObject {
  rules?: PolicyRule[];
}

async function reconcileRole<T extends RoleLike>(
  storage: StorageRegistry,
  resource: Resource<T>,
  wanted: NewObject<T> & { metadata: { name: string; namespace?: string }; rules?: PolicyRule[] },
): Promise<void> {
  const existing = await ensure(storage, resource, wanted);
  if (!mayRepair(existing)) return;
  const add = missingRules(existing.rules ?? [], wanted.rules ?? []);
  if (add.length === 0) return;
  await storage.for(resource).update(wanted.metadata.namespace ?? "", wanted.metadata.name, (role) => {
    role.rules = [...(role.rules ?? []), ...missingRules(role.rules ?? [], wanted.rules ?? [])];
  });
}

interface BindingLike extends KubernetesObject {
  roleRef: RoleRef;
  subjects?: Subject[];
}

function missingSubjects(existing: readonly Subject[], wanted: readonly Subject[]): Subject[] {
  const same = (left: Subject, right: Subject) =>
    left.kind === right.kind && left.name === right.name && (left.namespace ?? "") === (right.namespace ?? "");
  return wanted.filter((subject) => !existing.some((known) => same(known, subject)));
}

async function reconcileBinding<T extends BindingLike>(
  storage: StorageRegistry,
  resource: Resource<T>,
  { name, namespace = "", role, roleKind, subjects }: DefaultBinding & { namespace?: string; roleKind: string },
): Promise<void> {
  const roleRef: RoleRef = { apiGroup: GROUP, kind: roleKind, name: role };
  const wanted = { metadata: metadata(name, { namespace }), roleRef, subjects: [...subjects] };
  const create = () =>
    ensure(storage, resource, wanted as unknown as NewObject<T> & { metadata: { name: string; namespace?: string } });
  const existing = await create();
  if (!mayRepair(existing)) return;
  if (!semanticDeepEqual(existing.roleRef, roleRef)) {
    // A binding's role cannot be changed, only the binding replaced.
    await storage.for(resource).delete(namespace, name);
    await create();
    return;
  }
  if (missingSubjects(existing.subjects ?? [], subjects).length === 0) return;
  await storage.for(resource).update(namespace, name, (binding) => {
    binding.subjects = [...(binding.subjects ?? []), ...missingSubjects(binding.subjects ?? [], subjects)];
  });
}

function clusterRoleObject({ name, rules, labels, aggregates }: DefaultClusterRole) {
  return {
    metadata: metadata(name, labels ? { labels } : undefined),
    ...(aggregates ? { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { ...aggregates } }] } } : {}),
    rules: aggregates ? [] : [...rules],
  };
}

/** Brings every default role and binding to storage. */
export async function bootstrapRbac(storage: StorageRegistry): Promise<void> {
  const clusterRoles = [...defaultClusterRoles, ...defaultControllerRoles];
  await Promise.all([
    ...clusterRoles.map((role) => reconcileRole(storage, clusterroles, clusterRoleObject(role))),
    ...defaultClusterRoleBindings.map((binding) =>
      reconcileBinding(storage, clusterrolebindings, { ...binding, roleKind: "ClusterRole" }),
    ),
    ...defaultRoles.map(({ name, namespace, rules }) =>
      reconcileRole(storage, roles, { metadata: metadata(name, { namespace }), rules: [...rules] }),
    ),
    ...defaultRoleBindings.map((binding) => reconcileBinding(storage, rolebindings, { ...binding, roleKind: "Role" })),
  ]);
}
