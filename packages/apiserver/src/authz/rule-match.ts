// Whether one RBAC rule covers one request (upstream: pkg/apis/rbac/v1 evaluation_helpers.go). Pure; knows no subject.

import type { PolicyRule } from "@picokube/api/rbac/v1";
import type { Attributes } from "./authorizer.js";

function verbMatches(rule: PolicyRule, verb: string): boolean {
  return rule.verbs.includes("*") || rule.verbs.includes(verb);
}

/** Whether the rule's resources cover "pods" or "pods/log": "*", an exact name, or any resource's subresource. */
export function resourceMatches(resources: readonly string[], combined: string, subresource: string): boolean {
  for (const resource of resources) {
    if (resource === "*" || resource === combined) return true;
    if (subresource !== "" && resource === `*/${subresource}`) return true;
  }
  return false;
}

/** Whether the path is one of the URLs; a trailing star covers all that begins so. */
export function nonResourceUrlMatches(urls: readonly string[], path: string): boolean {
  return urls.some((url) => url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1))));
}

/** Whether the rule allows the request: upstream's RuleAllows. */
export function ruleAllows(rule: PolicyRule, { verb, resource, path }: Attributes): boolean {
  if (!verbMatches(rule, verb)) return false;
  if (!resource) return nonResourceUrlMatches(rule.nonResourceURLs ?? [], path);
  const groups = rule.apiGroups ?? [];
  if (!groups.includes("*") && !groups.includes(resource.group)) return false;
  const combined = resource.subresource === "" ? resource.resource : `${resource.resource}/${resource.subresource}`;
  if (!resourceMatches(rule.resources ?? [], combined, resource.subresource)) return false;
  const names = rule.resourceNames ?? [];
  return names.length === 0 || names.includes(resource.name);
}
