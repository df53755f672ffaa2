// How much is recorded of one request: the first rule of the policy that fits decides (upstream: audit/policy/checker.go).
// Pure.

import type { Attributes } from "../authz/authorizer.js";
import type { AuditPolicy, Level, PolicyRule, Stage } from "./audit-policy.js";

export interface Verdict {
  readonly level: Level;
  readonly omitStages: readonly Stage[];
  readonly omitManagedFields: boolean;
}

/** No rule fits: nothing is recorded. */
export function auditLevel(policy: AuditPolicy, attributes: Attributes): Verdict {
  const rule = policy.rules.find((each) => fits(each, attributes));
  return {
    level: rule?.level ?? "None",
    omitStages: [...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])],
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}

const holds = (list: readonly string[] | undefined, value: string) =>
  list === undefined || list.length === 0 || list.includes(value);

function fits(rule: PolicyRule, { user, verb, path, resource }: Attributes): boolean {
  if (!holds(rule.users, user.name) || !holds(rule.verbs, verb)) return false;
  const groups = rule.userGroups ?? [];
  if (groups.length > 0 && !groups.some((group) => user.groups.includes(group))) return false;
  if ((rule.namespaces ?? []).length > 0 || (rule.resources ?? []).length > 0) {
    return resource !== undefined && fitsResource(rule, resource);
  }
  const urls = rule.nonResourceURLs ?? [];
  return urls.length === 0 || (resource === undefined && urls.some((url) => fitsPath(url, path)));
}

function fitsResource(
  { namespaces, resources }: PolicyRule,
  { group, resource, subresource, namespace, name }: NonNullable<Attributes["resource"]>,
): boolean {
  if (!holds(namespaces, namespace)) return false;
  if (resources === undefined || resources.length === 0) return true;
  const whole = subresource === "" ? resource : `${resource}/${subresource}`;
  const words = ["*", whole, `${resource}/*`, ...(subresource === "" ? [] : [`*/${subresource}`])];
  return resources.some((each) => {
    if ((each.group ?? "") !== group) return false;
    if ((each.resources ?? []).length === 0) return true;
    return holds(each.resourceNames, name) && each.resources!.some((word) => words.includes(word));
  });
}

function fitsPath(url: string, path: string): boolean {
  if (url === "*" || url === path) return true;
  return url.endsWith("*") && path.startsWith(url.slice(0, -1));
}
