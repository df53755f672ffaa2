// Which resources there are and what kind each is of (upstream: pkg/apis/core/helper). Pure.

import { isQualifiedName } from "@picokube/api/validation/names";

const containerResources = new Set(["cpu", "memory", "ephemeral-storage"]);

const objectCounts = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "persistentvolumeclaims",
  "configmaps",
  "services.nodeports",
  "services.loadbalancers",
];
const integerResources = new Set(objectCounts);

const requestsAndLimits = ["cpu", "memory", "ephemeral-storage"].flatMap((name) => [
  `requests.${name}`,
  `limits.${name}`,
]);
const quotaResources = new Set([...containerResources, ...requestsAndLimits, ...objectCounts, "requests.storage"]);

/** Pages of a size, such as "hugepages-2Mi". */
export function isHugePages(name: string): boolean {
  return name.startsWith("hugepages-");
}

/** Kubernetes' own: without a prefix, or with one of kubernetes.io. */
export function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}

/** A device plugin's or an administrator's, such as "nvidia.com/gpu" (upstream: IsExtendedResourceName). */
export function isExtendedResource(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}

/** May be shared out more than once. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePages(name);
}

/** Comes in whole pieces only. */
export function isIntegerResource(name: string): boolean {
  return integerResources.has(name) || isExtendedResource(name);
}

/** What a container may ask for by a name without a prefix. */
export function isContainerResource(name: string): boolean {
  return containerResources.has(name) || isHugePages(name);
}

/** What a quota may limit by a name without a prefix. */
export function isQuotaResource(name: string): boolean {
  return quotaResources.has(name) || isHugePages(name) || name.startsWith("requests.hugepages-");
}

/** Any name without a prefix that Kubernetes knows. */
export function isStandardResource(name: string): boolean {
  return isQuotaResource(name) || name === "storage";
}
