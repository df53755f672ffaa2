// The bounds of a LimitRange against what one object asks for, in upstream's words (plugin/pkg/admission/limitranger).
// Pure.

import type { Container, Pod, PodSpec } from "@picokube/api/core/v1";
import { podLimits, podRequests } from "@picokube/api/pod";
import { Quantity } from "@picokube/api/quantity";

export type ResourceList = { readonly [resource: string]: string | number } | undefined;

export interface LimitItem {
  readonly type: string;
  readonly min?: ResourceList;
  readonly max?: ResourceList;
  readonly default?: ResourceList;
  readonly defaultRequest?: ResourceList;
  readonly maxLimitRequestRatio?: ResourceList;
}

/** What a container, a pod or a claim asks for. */
export interface Asked {
  readonly requests: ReadonlyMap<string, Quantity>;
  readonly limits: ReadonlyMap<string, Quantity>;
}

function amounts(list: ResourceList): Map<string, Quantity> {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, Quantity.parse(text)]));
}

/** A container's requests and limits. */
export function askedBy({ resources }: { resources?: { requests?: ResourceList; limits?: ResourceList } }): Asked {
  return { requests: amounts(resources?.requests), limits: amounts(resources?.limits) };
}

/** Why the bounds of one item are not kept; empty when they are. */
export function limitFaults(item: LimitItem, { requests, limits }: Asked): string[] {
  const faults: string[] = [];
  for (const [name, enforced] of amounts(item.min)) {
    const words = `minimum ${name} usage per ${item.type} is ${enforced}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    if (!request) faults.push(`${words}.  No request is specified`);
    else if (request.compare(enforced) < 0) faults.push(`${words}, but request is ${request}`);
    else if (limit && limit.compare(enforced) < 0) faults.push(`${words}, but limit is ${limit}`);
  }
  for (const [name, enforced] of amounts(item.max)) {
    const words = `maximum ${name} usage per ${item.type} is ${enforced}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    // A claim has no limits: its request is what counts.
    if (item.type === "PersistentVolumeClaim") {
      if (!request) faults.push(`${words}.  No request is specified`);
      else if (request.compare(enforced) > 0) faults.push(`${words}, but request is ${request}`);
    } else if (!limit) faults.push(`${words}.  No limit is specified`);
    else if (limit.compare(enforced) > 0) faults.push(`${words}, but limit is ${limit}`);
    else if (request && request.compare(enforced) > 0) faults.push(`${words}, but request is ${request}`);
  }
  for (const [name, enforced] of amounts(item.maxLimitRequestRatio)) {
    const words = `${name} max limit to request ratio per ${item.type} is ${enforced}`;
    const request = requests.get(name);
    const limit = limits.get(name);
    if (!request || request.isZero) faults.push(`${words}, but no request is specified or request is 0`);
    else if (!limit || limit.isZero) faults.push(`${words}, but no limit is specified or limit is 0`);
    else {
      const ratio = limit.asNumber() / request.asNumber();
      if (ratio > enforced.asNumber()) faults.push(`${words}, but provided ratio is ${ratio.toFixed(6)}`);
    }
  }
  return faults;
}

const everyContainer = (spec: PodSpec): Container[] => [...(spec.initContainers ?? []), ...spec.containers];

/** The faults of a pod against one item of a range. */
export function podLimitFaults(item: LimitItem, pod: Pod): string[] {
  if (!pod.spec) return [];
  if (item.type === "Container") {
    return everyContainer(pod.spec).flatMap((container) => limitFaults(item, askedBy(container as never)));
  }
  if (item.type === "Pod") return limitFaults(item, { requests: podRequests(pod), limits: podLimits(pod) });
  return [];
}

interface ContainerDefaults {
  readonly requests: ReadonlyMap<string, string | number>;
  readonly limits: ReadonlyMap<string, string | number>;
}

/** What a range gives to containers; where several of its items say something, the last. */
export function containerDefaults(items: readonly LimitItem[]): ContainerDefaults {
  const containers = items.filter(({ type }) => type === "Container");
  const merged = (lists: readonly ResourceList[]) => new Map(lists.flatMap((list) => Object.entries(list ?? {})));
  return {
    requests: merged(containers.map(({ defaultRequest }) => defaultRequest)),
    limits: merged(containers.map((item) => item.default)),
  };
}

/** Fills in what a container does not say and tells which resources those were. */
export function applyContainerDefaults(
  defaults: ContainerDefaults,
  container: Container,
): { requests: string[]; limits: string[] } {
  const set = { requests: [] as string[], limits: [] as string[] };
  for (const target of ["limits", "requests"] as const) {
    for (const [name, amount] of defaults[target]) {
      const resources = (container.resources ?? {}) as {
        [key in "requests" | "limits"]?: { [name: string]: string | number };
      };
      if (resources[target]?.[name] !== undefined) continue;
      resources[target] = { ...resources[target], [name]: amount };
      container.resources = resources as never;
      set[target].push(name);
    }
  }
  return set;
}
