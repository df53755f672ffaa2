// Which objects a quota covers, and what it makes their containers name (upstream: pkg/quota/v1/evaluator/core/pods.go).
// Pure.

import type { Container, Pod, ResourceQuota } from "./core/v1.js";
import type { KubernetesObject } from "./meta/v1.js";
import { qosClass } from "./pod.js";
import type { GroupResource } from "./resource.js";

/** Resources that each container must name because the quota bounds them: "limits.cpu for: web". */
export function unnamedResources({ spec }: Pod, hard: readonly string[]): string[] {
  const containers: Container[] = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const words: string[] = [];
  for (const bound of [...hard].sort()) {
    const match = /^(?:(requests|limits)\.)?(cpu|memory)$/.exec(bound);
    if (!match) continue;
    const [, where = "requests", name = ""] = match;
    const without = containers.filter(({ resources }) => {
      const list = (where === "limits" ? resources?.limits : resources?.requests) as
        | { [name: string]: unknown }
        | undefined;
      const limits = resources?.limits as { [name: string]: unknown } | undefined;
      return list?.[name] === undefined && (where === "limits" || limits?.[name] === undefined);
    });
    if (without.length > 0)
      words.push(
        `${bound} for: ${without
          .map((container) => container.name)
          .sort()
          .join(",")}`,
      );
  }
  return words;
}

interface ScopeRequirement {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

function podInScope(pod: Pod, { scopeName, operator, values = [] }: ScopeRequirement): boolean {
  const { spec } = pod;
  switch (scopeName) {
    case "Terminating":
      return (spec?.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating":
      return (spec?.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort":
      return qosClass(pod) === "BestEffort";
    case "NotBestEffort":
      return qosClass(pod) !== "BestEffort";
    case "CrossNamespacePodAffinity": {
      const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
      const terms = [podAffinity, podAntiAffinity].flatMap((affinity) => [
        ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
        ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
          ({ podAffinityTerm }) => podAffinityTerm,
        ),
      ]);
      return terms.some(
        ({ namespaces, namespaceSelector }) => (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined,
      );
    }
    case "PriorityClass": {
      const name = spec?.priorityClassName ?? "";
      if (operator === "Exists") return name !== "";
      if (operator === "DoesNotExist") return name === "";
      return operator === "NotIn" ? !values.includes(name) : values.includes(name);
    }
    default:
      return false;
  }
}

function scopesOf({ spec }: ResourceQuota): ScopeRequirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  return [...plain, ...((spec?.scopeSelector?.matchExpressions ?? []) as unknown as ScopeRequirement[])];
}

/** Whether all of the quota's scopes hold the object; scopes are about pods, so one that has any covers nothing else. */
export function quotaCovers(
  quota: ResourceQuota,
  { group, resource }: GroupResource,
  object: KubernetesObject,
): boolean {
  const scopes = scopesOf(quota);
  if (scopes.length === 0) return true;
  return group === "" && resource === "pods" && scopes.every((scope) => podInScope(object as Pod, scope));
}
