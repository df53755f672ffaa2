// Which requests a webhook or policy is about, in upstream's words (upstream: validateRuleWithOperations,
// validateMatchResources). Pure.

import type { LabelSelector } from "@picokube/api/meta/v1";
import { duplicate, type FieldError, invalidValue, notSupported, required } from "@picokube/api/validation/field-error";
import { goStrings } from "@picokube/api/validation/go-syntax";
import { isPathSegmentName } from "@picokube/api/validation/names";
import { objections, oneOf, oneOfIfSet } from "../check.js";
import { validateLabelSelector } from "../label-validation.js";

/** What is done to which resources. */
export interface RuleWithOperations {
  readonly operations?: readonly string[] | undefined;
  readonly apiGroups?: readonly string[] | undefined;
  readonly apiVersions?: readonly string[] | undefined;
  readonly resources?: readonly string[] | undefined;
  readonly resourceNames?: readonly string[] | undefined;
  readonly scope?: string | undefined;
}

/** A policy's or binding's choice of requests. */
export interface MatchResources {
  readonly matchPolicy?: string | undefined;
  readonly namespaceSelector?: LabelSelector | undefined;
  readonly objectSelector?: LabelSelector | undefined;
  readonly resourceRules?: readonly RuleWithOperations[] | undefined;
  readonly excludeResourceRules?: readonly RuleWithOperations[] | undefined;
}

export const matchPolicies = ["Equivalent", "Exact"];
export const failurePolicies = ["Fail", "Ignore"];
const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const scopes = ["*", "Cluster", "Namespaced"];

function loneWildcard(path: string, list: readonly string[], others: string): FieldError[] {
  const words = `if '*' is present, must not specify other ${others}`;
  const type = others === "operations" ? "admissionregistration.OperationType" : "string";
  return list.length > 1 && list.includes("*") ? [invalidValue(path, goStrings(list, type), words)] : [];
}

function validateResources(resources: readonly string[], path: string): FieldError[] {
  const faults = resources.length === 0 ? [required(path)] : [];
  const wholeResources = new Set<string>();
  const wholeSubresources = new Set<string>();
  // As upstream: the last resource without a subresource decides.
  let hasPlain = false;
  for (const [index, resource] of resources.entries()) {
    const at = `${path}[${index}]`;
    if (resource === "") {
      faults.push(required(at));
      continue;
    }
    const slash = resource.indexOf("/");
    if (slash < 0) {
      hasPlain = resource !== "*";
      continue;
    }
    const parent = resource.slice(0, slash);
    const child = resource.slice(slash + 1);
    const clash = (present: string) => `if '${present}' is present, must not specify ${resource}`;
    if (wholeResources.has(parent)) faults.push(invalidValue(at, resource, clash(`${parent}/*`)));
    if (wholeSubresources.has(child)) faults.push(invalidValue(at, resource, clash(`*/${child}`)));
    if (child === "*") wholeResources.add(parent);
    if (parent === "*") wholeSubresources.add(child);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    faults.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (resources.includes("*") && hasPlain) {
    const words = "if '*' is present, must not specify other resources without subresources";
    faults.push(invalidValue(path, resources, words));
  }
  return faults;
}

/** One rule of a webhook. */
export function validateRuleWithOperations(rule: RuleWithOperations | undefined, path: string): FieldError[] {
  const { operations: verbs = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule ?? {};
  const faults = verbs.length === 0 ? [required(`${path}.operations`)] : [];
  faults.push(...loneWildcard(`${path}.operations`, verbs, "operations"));
  for (const [index, verb] of verbs.entries()) {
    if (!operations.includes(verb)) faults.push(notSupported(`${path}.operations[${index}]`, verb, operations));
  }
  if (apiGroups.length === 0) faults.push(required(`${path}.apiGroups`));
  faults.push(...loneWildcard(`${path}.apiGroups`, apiGroups, "API groups"));
  if (apiVersions.length === 0) faults.push(required(`${path}.apiVersions`));
  faults.push(...loneWildcard(`${path}.apiVersions`, apiVersions, "API versions"));
  for (const [index, version] of apiVersions.entries()) {
    if (version === "") faults.push(required(`${path}.apiVersions[${index}]`));
  }
  return [
    ...faults,
    ...validateResources(resources, `${path}.resources`),
    ...oneOfIfSet(`${path}.scope`, scope, scopes),
  ];
}

function validateNamedRule(rule: RuleWithOperations, path: string): FieldError[] {
  const seen = new Set<string>();
  const faults: FieldError[] = [];
  for (const [index, name] of (rule?.resourceNames ?? []).entries()) {
    const at = `${path}.resourceNames[${index}]`;
    faults.push(...objections(at, name, isPathSegmentName(name)));
    if (seen.has(name)) faults.push(duplicate(at, name));
    seen.add(name);
  }
  return [...faults, ...validateRuleWithOperations(rule, path)];
}

/** The matchConstraints of a policy, the matchResources of a binding. */
export function validateMatchResources(match: MatchResources | undefined, path: string): FieldError[] {
  if (!match) return [];
  const faults = oneOf(`${path}.matchPolicy`, match.matchPolicy, matchPolicies);
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    const at = `${path}.${field}`;
    faults.push(...(match[field] ? validateLabelSelector(match[field], at) : [required(at)]));
  }
  for (const field of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [index, rule] of (match[field] ?? []).entries()) {
      faults.push(...validateNamedRule(rule, `${path}.${field}[${index}]`));
    }
  }
  return faults;
}
