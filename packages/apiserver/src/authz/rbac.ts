// The RBAC mode: reads roles and bindings, answers per request. Bindings are indexed by subject and rebuilt on the first
// question after one of them changed. Never writes.

import type { KubernetesObject } from "@picokube/api/meta/v1";
import {
  clusterrolebindings,
  clusterroles,
  type PolicyRule,
  type RoleRef,
  rolebindings,
  roles,
  type Subject,
} from "@picokube/api/rbac/v1";
import type { UserInfo } from "../authn/authenticator.js";
import type { StorageRegistry } from "../storage/resource-storage.js";
import type { Attributes, Decision, LocalAuthorizer, RuleSet } from "./authorizer.js";
import { ruleAllows } from "./rule-match.js";

const MASTERS = "system:masters";

interface BoundRules {
  readonly rules: readonly PolicyRule[];
  /** 'ClusterRoleBinding "x" of ClusterRole "y" to Group "z"'. */
  readonly origin: string;
}

interface Binding extends KubernetesObject {
  roleRef: RoleRef;
  subjects?: Subject[];
}

interface Index {
  /** Keyed by namespace ("" for cluster-wide bindings), then by subject ("u:alice", "g:devs"). */
  readonly bound: Map<string, Map<string, BoundRules[]>>;
  /** What bindings refer to and does not exist. */
  readonly missing: Map<string, string[]>;
}

function subjectKey(subject: Subject, bindingNamespace: string): string {
  if (subject.kind === "Group") return `g:${subject.name}`;
  if (subject.kind === "User") return `u:${subject.name}`;
  return `u:system:serviceaccount:${subject.namespace || bindingNamespace}:${subject.name}`;
}

function subjectWords(subject: Subject): string {
  return subject.kind === "ServiceAccount"
    ? `ServiceAccount "${subject.name}/${subject.namespace}"`
    : `${subject.kind} "${subject.name}"`;
}

function buildIndex(storage: StorageRegistry): Index {
  const index: Index = { bound: new Map(), missing: new Map() };
  const compiled = new Map<string, readonly PolicyRule[] | undefined>();

  const rulesOf = ({ kind, name }: RoleRef, namespace: string): readonly PolicyRule[] | undefined => {
    const key = kind === "ClusterRole" ? `/${name}` : `${namespace}/${name}`;
    if (compiled.has(key)) return compiled.get(key);
    const clusterRole = kind === "ClusterRole" ? storage.for(clusterroles).get("", name) : undefined;
    const rules = clusterRole
      ? clusterRole.rules
      : kind === "Role"
        ? storage.for(roles).get(namespace, name)?.rules
        : undefined;
    const exists =
      clusterRole !== undefined || (kind === "Role" && storage.for(roles).get(namespace, name) !== undefined);
    compiled.set(key, exists ? (rules ?? []) : undefined);
    return compiled.get(key);
  };

  const add = (binding: Binding, namespace: string): void => {
    const rules = rulesOf(binding.roleRef, namespace);
    const perSubject = index.bound.get(namespace) ?? new Map<string, BoundRules[]>();
    index.bound.set(namespace, perSubject);
    const kind = namespace === "" ? "ClusterRoleBinding" : "RoleBinding";
    const named = namespace === "" ? binding.metadata.name : `${binding.metadata.name}/${namespace}`;
    for (const subject of binding.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      if (rules === undefined) {
        const missingKey = `${namespace}|${key}`;
        const words = `${binding.roleRef.kind.toLowerCase()}.rbac.authorization.k8s.io "${binding.roleRef.name}" not found`;
        index.missing.set(missingKey, [...(index.missing.get(missingKey) ?? []), words]);
        continue;
      }
      const { roleRef } = binding;
      const origin = `${kind} "${named}" of ${roleRef.kind} "${roleRef.name}" to ${subjectWords(subject)}`;
      const list = perSubject.get(key);
      if (list) list.push({ rules, origin });
      else perSubject.set(key, [{ rules, origin }]);
    }
  };
  for (const binding of storage.for(clusterrolebindings).list()) add(binding, "");
  for (const binding of storage.for(rolebindings).list()) add(binding, binding.metadata.namespace ?? "");
  return index;
}

/** The authorizer of --authorization-mode=RBAC. Members of system:masters pass without looking. */
export function rbacAuthorizer(storage: StorageRegistry): LocalAuthorizer {
  let index: Index | undefined;
  const forget = (): void => {
    index = undefined;
  };
  for (const resource of [roles, rolebindings, clusterroles, clusterrolebindings]) {
    storage.find(resource)?.onChange(forget);
  }
  const current = (): Index => (index ??= buildIndex(storage));
  const keysOf = (user: UserInfo): string[] => [`u:${user.name}`, ...user.groups.map((group) => `g:${group}`)];
  const scopesOf = (namespace: string): string[] => (namespace === "" ? [""] : ["", namespace]);

  function* boundTo(user: UserInfo, namespace: string): Generator<BoundRules> {
    for (const scope of scopesOf(namespace)) {
      const perSubject = current().bound.get(scope);
      if (!perSubject) continue;
      for (const key of keysOf(user)) yield* perSubject.get(key) ?? [];
    }
  }

  function missingWords(user: UserInfo, namespace: string): string {
    const words = scopesOf(namespace).flatMap((scope) =>
      keysOf(user).flatMap((key) => current().missing.get(`${scope}|${key}`) ?? []),
    );
    if (words.length === 0) return "";
    return `RBAC: ${words.length === 1 ? words[0] : `[${[...new Set(words)].join(", ")}]`}`;
  }

  return {
    name: "RBAC",
    authorize(attributes: Attributes): Decision {
      if (attributes.user.groups.includes(MASTERS)) return { decision: "Allow", reason: "" };
      const namespace = attributes.resource?.namespace ?? "";
      for (const { rules, origin } of boundTo(attributes.user, namespace)) {
        if (rules.some((rule) => ruleAllows(rule, attributes))) {
          return { decision: "Allow", reason: `RBAC: allowed by ${origin}` };
        }
      }
      return { decision: "NoOpinion", reason: missingWords(attributes.user, namespace) };
    },
    rulesFor(user: UserInfo, namespace: string): RuleSet {
      const set: RuleSet = { resourceRules: [], nonResourceRules: [] };
      for (const { rules } of boundTo(user, namespace)) {
        for (const { verbs, apiGroups = [], resources = [], resourceNames, nonResourceURLs = [] } of rules) {
          if (nonResourceURLs.length > 0) set.nonResourceRules.push({ verbs, nonResourceURLs });
          else set.resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames ? { resourceNames } : {}) });
        }
      }
      return set;
    },
  };
}
