// Whether what someone wants to grant is covered by what they hold (upstream: component-helpers
// auth/rbac/validation policy_comparator.go). Pure.

import type { PolicyRule } from "@picokube/api/rbac/v1";
import { nonResourceUrlMatches, resourceMatches } from "./rule-match.js";

const orEmpty = (list: readonly string[] | undefined): readonly string[] => list ?? [];

/** A rule as single verbs on single things. */
export function breakDown(rule: PolicyRule): PolicyRule[] {
  const atoms: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of orEmpty(rule.nonResourceURLs)) atoms.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of orEmpty(rule.apiGroups)) {
      for (const resource of orEmpty(rule.resources)) {
        const atom = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = orEmpty(rule.resourceNames);
        if (names.length === 0) atoms.push(atom);
        else for (const name of names) atoms.push({ ...atom, resourceNames: [name] });
      }
    }
  }
  return atoms;
}

function holds(owned: PolicyRule, atom: PolicyRule): boolean {
  const has = (list: readonly string[] | undefined, value: string) =>
    orEmpty(list).includes("*") || orEmpty(list).includes(value);
  if (!has(owned.verbs, atom.verbs[0]!)) return false;
  const [url] = orEmpty(atom.nonResourceURLs);
  if (url !== undefined) return nonResourceUrlMatches(orEmpty(owned.nonResourceURLs), url);
  const [resource = ""] = orEmpty(atom.resources);
  if (!has(owned.apiGroups, orEmpty(atom.apiGroups)[0] ?? "")) return false;
  if (!resourceMatches(orEmpty(owned.resources), resource, resource.split("/")[1] ?? "")) return false;
  const names = orEmpty(owned.resourceNames);
  return names.length === 0 || (atom.resourceNames !== undefined && names.includes(atom.resourceNames[0]!));
}

/** The single permissions among wanted that owned does not hold. */
export function uncoveredRules(owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((atom) => !owned.some((rule) => holds(rule, atom)));
}

/** A rule as upstream prints it: {APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}. */
export function ruleWords({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule): string {
  const list = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
  const parts = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["ResourceNames", resourceNames],
    ["NonResourceURLs", nonResourceURLs],
    ["Verbs", verbs],
  ] as const;
  return `{${parts.flatMap(([name, values]) => (values?.length ? [`${name}:${list(values)}`] : [])).join(", ")}}`;
}
