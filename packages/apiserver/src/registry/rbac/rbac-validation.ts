// What valid roles and bindings are, in upstream's words (upstream: pkg/apis/rbac/validation). Pure.

import { semanticDeepEqual } from "@picokube/api/deep-equal";
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from "@picokube/api/rbac/v1";
import { type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { isPathSegmentName } from "@picokube/api/validation/names";
import { objections, requiredLabel } from "../check.js";
import { validateLabelSelector } from "../label-validation.js";

type Rule = NonNullable<Role["rules"]>[number];
type Subject = NonNullable<RoleBinding["subjects"]>[number];

const groupName = "rbac.authorization.k8s.io";

function validateRule(rule: Rule, path: string, { namespaced }: { namespaced: boolean }): FieldError[] {
  const faults: FieldError[] = [];
  const { verbs = [], nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  if (verbs.length === 0) faults.push(required(`${path}.verbs`, "verbs must contain at least one value"));
  if (nonResourceURLs.length > 0) {
    const at = `${path}.nonResourceURLs`;
    if (namespaced) {
      faults.push(invalidValue(at, nonResourceURLs, "namespaced rules cannot apply to non-resource URLs"));
    }
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      const words = "rules cannot apply to both regular resources and non-resource URLs";
      faults.push(invalidValue(at, nonResourceURLs, words));
    }
    return faults;
  }
  if (apiGroups.length === 0) {
    faults.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  }
  if (resources.length === 0) {
    faults.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  }
  return faults;
}

/** A Role as it is created and changed. */
export function validateRole({ rules }: Role): FieldError[] {
  return (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, { namespaced: true }));
}

/** A ClusterRole as it is created and changed. */
export function validateClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const faults = (rules ?? []).flatMap((rule, index) => validateRule(rule, `rules[${index}]`, { namespaced: false }));
  if (!aggregationRule) return faults;
  const selectors = aggregationRule.clusterRoleSelectors ?? [];
  const path = "aggregationRule.clusterRoleSelectors";
  if (selectors.length === 0) {
    faults.push(required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
  }
  for (const [index, selector] of selectors.entries()) {
    faults.push(...validateLabelSelector(selector, `${path}[${index}]`));
  }
  return faults;
}

function validateSubject(subject: Subject, path: string, { namespaced }: { namespaced: boolean }): FieldError[] {
  const faults: FieldError[] = [];
  const { kind, name, namespace, apiGroup = "" } = subject;
  if (!name) faults.push(required(`${path}.name`));
  switch (kind) {
    case "ServiceAccount":
      if (name) faults.push(...requiredLabelOrSubdomain(`${path}.name`, name));
      if (apiGroup !== "") faults.push(notSupported(`${path}.apiGroup`, apiGroup, [""]));
      if (!namespaced && !namespace) faults.push(required(`${path}.namespace`));
      break;
    case "User":
    case "Group":
      if (apiGroup !== groupName) faults.push(notSupported(`${path}.apiGroup`, apiGroup, [groupName]));
      break;
    default:
      faults.push(notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"]));
  }
  return faults;
}

function requiredLabelOrSubdomain(field: string, name: string): FieldError[] {
  return name.includes(".") ? [] : requiredLabel(field, name);
}

function validateBinding(
  binding: RoleBinding | ClusterRoleBinding,
  { namespaced }: { namespaced: boolean },
): FieldError[] {
  const faults: FieldError[] = [];
  const { apiGroup, kind, name } = binding.roleRef ?? { apiGroup: "", kind: "", name: "" };
  if (apiGroup !== groupName) faults.push(notSupported("roleRef.apiGroup", apiGroup ?? "", [groupName]));
  const kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (!kinds.includes(kind)) faults.push(notSupported("roleRef.kind", kind ?? "", kinds));
  if (!name) faults.push(required("roleRef.name"));
  else faults.push(...objections("roleRef.name", name, isPathSegmentName(name)));
  for (const [index, subject] of (binding.subjects ?? []).entries()) {
    faults.push(...validateSubject(subject, `subjects[${index}]`, { namespaced }));
  }
  return faults;
}

/** A RoleBinding as it is created. */
export const validateRoleBinding = (binding: RoleBinding): FieldError[] =>
  validateBinding(binding, { namespaced: true });

/** A ClusterRoleBinding as it is created. */
export const validateClusterRoleBinding = (binding: ClusterRoleBinding): FieldError[] =>
  validateBinding(binding, { namespaced: false });

function roleRefFaults(binding: RoleBinding | ClusterRoleBinding, old: RoleBinding | ClusterRoleBinding): FieldError[] {
  return semanticDeepEqual(binding.roleRef, old.roleRef)
    ? []
    : [invalidValue("roleRef", binding.roleRef, "cannot change roleRef")];
}

/** A change of a RoleBinding: its role stays. */
export function validateRoleBindingUpdate(binding: RoleBinding, old: RoleBinding): FieldError[] {
  return [...validateRoleBinding(binding), ...roleRefFaults(binding, old)];
}

/** A change of a ClusterRoleBinding: its role stays. */
export function validateClusterRoleBindingUpdate(binding: ClusterRoleBinding, old: ClusterRoleBinding): FieldError[] {
  return [...validateClusterRoleBinding(binding), ...roleRefFaults(binding, old)];
}
