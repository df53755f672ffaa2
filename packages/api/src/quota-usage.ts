// What one object uses of each resource that a quota can bound (upstream: pkg/quota/v1/evaluator). The apiserver refuses
// by it, the controller recounts by it. Which objects a quota covers stands in quota-scope.ts. Pure.

import type { PersistentVolumeClaim, Pod, Service } from "./core/v1.js";
import type { KubernetesObject } from "./meta/v1.js";
import { isPodTerminal, podLimits, podRequests } from "./pod.js";
import { Quantity } from "./quantity.js";
import { type GroupResource, groupResourceName } from "./resource.js";

export type Usage = Map<string, Quantity>;

const ONE = Quantity.fromValue(1);
/** Kinds that have always been counted under their own name. */
const LEGACY_COUNTS = new Set([
  "configmaps",
  "persistentvolumeclaims",
  "pods",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "services",
]);
const UNPREFIXED = new Set(["cpu", "memory", "ephemeral-storage"]);
const LEGACY_CLASS = "volume.beta.kubernetes.io/storage-class";

/** Whether it runs for its namespace: one that has ended does not, nor one that a lost node cannot end in time. */
function isPodCharged(pod: Pod, nowMs: number): boolean {
  return !isPodTerminal(pod) && nowMs <= (podChargeEndMs(pod) ?? Number.POSITIVE_INFINITY);
}

/** When a pod that is being deleted stops to be charged; undefined for others. */
export function podChargeEndMs({ metadata }: Pod): number | undefined {
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata;
  if (!deletionTimestamp || deletionGracePeriodSeconds === undefined) return undefined;
  return Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000;
}

function podUsage(pod: Pod, nowMs: number): Usage {
  const usage: Usage = new Map([["count/pods", ONE]]);
  if (!isPodCharged(pod, nowMs)) return usage;
  usage.set("pods", ONE);
  for (const [name, amount] of podRequests(pod)) {
    if (UNPREFIXED.has(name)) usage.set(name, amount);
    usage.set(`requests.${name}`, amount);
    if (name.startsWith("hugepages-")) usage.set(name, amount);
  }
  for (const [name, amount] of podLimits(pod)) usage.set(`limits.${name}`, amount);
  return usage;
}

function serviceUsage({ spec }: Service): Usage {
  const usage: Usage = new Map([
    ["count/services", ONE],
    ["services", ONE],
  ]);
  const ports = spec?.ports ?? [];
  if (spec?.type === "NodePort") usage.set("services.nodeports", Quantity.fromValue(ports.length));
  if (spec?.type === "LoadBalancer") {
    usage.set("services.loadbalancers", ONE);
    const withNodePort =
      spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => nodePort) : ports;
    usage.set("services.nodeports", Quantity.fromValue(withNodePort.length));
  }
  return usage;
}

function claimUsage({ metadata, spec }: PersistentVolumeClaim): Usage {
  const usage: Usage = new Map([
    ["count/persistentvolumeclaims", ONE],
    ["persistentvolumeclaims", ONE],
  ]);
  const storage = spec?.resources?.requests?.storage;
  const amount = storage === undefined ? undefined : Quantity.parse(storage as string);
  if (amount) usage.set("requests.storage", amount);
  const className = metadata.annotations?.[LEGACY_CLASS] ?? spec?.storageClassName;
  if (className) {
    const prefix = `${className}.storageclass.storage.k8s.io`;
    usage.set(`${prefix}/persistentvolumeclaims`, ONE);
    if (amount) usage.set(`${prefix}/requests.storage`, amount);
  }
  return usage;
}

/** What the object adds to a quota's used. */
export function usageOf(
  resource: GroupResource,
  object: KubernetesObject,
  { nowMs }: { readonly nowMs: number },
): Usage {
  if (resource.group === "") {
    if (resource.resource === "pods") return podUsage(object as Pod, nowMs);
    if (resource.resource === "services") return serviceUsage(object as Service);
    if (resource.resource === "persistentvolumeclaims") return claimUsage(object as PersistentVolumeClaim);
  }
  const usage: Usage = new Map([[`count/${groupResourceName(resource)}`, ONE]]);
  if (resource.group === "" && LEGACY_COUNTS.has(resource.resource)) usage.set(resource.resource, ONE);
  return usage;
}

/** The kind of object whose number or needs a quota's resource bounds: pods for all that is computed with. */
export function resourceOfBound(bound: string): GroupResource {
  if (bound.startsWith("count/")) {
    const [resource = "", ...group] = bound.slice("count/".length).split(".");
    return { group: group.join("."), resource };
  }
  const inCore = (resource: string) => ({ group: "", resource });
  if (bound === "services" || bound.startsWith("services.")) return inCore("services");
  if (bound === "requests.storage" || bound.includes(".storageclass.storage.k8s.io/"))
    return inCore("persistentvolumeclaims");
  return inCore(LEGACY_COUNTS.has(bound) ? bound : "pods");
}

/** Whether any resource of a quota could be used by objects of this kind. Events are never counted. */
export function concernsQuota({ group, resource }: GroupResource, hard: readonly string[]): boolean {
  if (resource === "events") return false;
  return hard.map(resourceOfBound).some((wanted) => wanted.group === group && wanted.resource === resource);
}
