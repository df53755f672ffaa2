// What valid ResourceQuotas are, in upstream's words (upstream: ValidateResourceQuota). Pure.

import type { ResourceQuota } from "@picokube/api/core/v1";
import { semanticDeepEqual } from "@picokube/api/deep-equal";
import { type FieldError, invalidValue, required } from "@picokube/api/validation/field-error";
import { goStrings } from "@picokube/api/validation/go-syntax";
import { isHugePages, isQuotaResource } from "./resource-names.js";
import { quotaResourceNameFaults, resourceQuantity } from "./resource-validation.js";

type Spec = NonNullable<ResourceQuota["spec"]>;
type Amounts = { readonly [name: string]: string | number } | undefined;

const podCompute = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
const existsOnly = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const standardScopes = [...existsOnly, "PriorityClass"];
const exclusive = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;

/** Names and amounts of what a quota limits, or of what is used of it. */
export function validateQuotaAmounts(amounts: Amounts, path: string): FieldError[] {
  return Object.entries(amounts ?? {}).flatMap(([name, value]) => {
    const field = `${path}[${name}]`;
    return [...quotaResourceNameFaults(field, name), ...resourceQuantity(field, name, value)];
  });
}

/** Whether a scope says something of a resource (upstream: IsResourceQuotaScopeValidForResource). */
function scopeFits(scope: string, name: string): boolean {
  if (scope === "BestEffort") return name === "pods";
  return !standardScopes.includes(scope) || name === "pods" || podCompute.includes(name);
}

function unfitting(scope: string, hard: Amounts): string[] {
  const isKnown = (name: string) => isQuotaResource(name) || isHugePages(name);
  return Object.keys(hard ?? {}).filter((name) => isKnown(name) && !scopeFits(scope, name));
}

const conflicts = (scopes: readonly string[]) =>
  exclusive.filter((pair) => pair.every((each) => scopes.includes(each)));

function validateScopes({ scopes = [], hard }: Spec): FieldError[] {
  const path = "spec.scopes";
  const shown = goStrings(scopes, "core.ResourceQuotaScope");
  const faults = scopes.flatMap((scope) => [
    ...(standardScopes.includes(scope) ? [] : [invalidValue(path, shown, "unsupported scope")]),
    ...unfitting(scope, hard as Amounts).map(() => invalidValue(path, shown, "unsupported scope applied to resource")),
  ]);
  return [...faults, ...conflicts(scopes).map(() => invalidValue(path, shown, "conflicting scopes"))];
}

function validateScopeSelector({ scopeSelector, scopes, hard }: Spec): FieldError[] {
  const path = "spec.scopeSelector.matchExpressions";
  const expressions = scopeSelector?.matchExpressions ?? [];
  const faults = expressions.flatMap(({ scopeName, operator, values = [] }) => {
    const found: FieldError[] = [];
    if (!standardScopes.includes(scopeName)) {
      found.push(invalidValue(`${path}.scopeName`, scopeName, "unsupported scope"));
    }
    for (const _ of unfitting(scopeName, hard as Amounts)) {
      found.push(invalidValue(path, scopeSelector, "unsupported scope applied to resource"));
    }
    if (existsOnly.includes(scopeName) && operator !== "Exists") {
      const words =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      found.push(invalidValue(`${path}.operator`, operator, words));
    }
    if (operator === "In" || operator === "NotIn") {
      const words = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      if (values.length === 0) found.push(required(`${path}.values`, words));
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      const words = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      if (values.length > 0) found.push(invalidValue(`${path}.values`, values, words));
    } else found.push(invalidValue(`${path}.operator`, operator, "not a valid selector operator"));
    return found;
  });
  const shown = goStrings(scopes, "core.ResourceQuotaScope");
  const names = expressions.map(({ scopeName }) => scopeName);
  return [...faults, ...conflicts(names).map(() => invalidValue(path, shown, "conflicting scopes"))];
}

/** A ResourceQuota as it is created. */
export function validateResourceQuota({ spec = {} }: ResourceQuota): FieldError[] {
  return [...validateQuotaAmounts(spec.hard, "spec.hard"), ...validateScopes(spec), ...validateScopeSelector(spec)];
}

/** A change of a ResourceQuota: its scopes stay. */
export function validateResourceQuotaUpdate(quota: ResourceQuota, old: ResourceQuota): FieldError[] {
  const sorted = (scopes: readonly string[] | undefined) => [...new Set(scopes)].sort();
  const faults = validateResourceQuota(quota);
  if (semanticDeepEqual(sorted(quota.spec?.scopes), sorted(old.spec?.scopes))) return faults;
  const shown = goStrings(quota.spec?.scopes, "core.ResourceQuotaScope");
  return [...faults, invalidValue("spec.scopes", shown, "field is immutable")];
}
