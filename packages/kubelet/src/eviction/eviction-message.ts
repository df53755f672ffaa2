// Why a pod was evicted, in upstream's words (helpers.go evictionMessage). Pure.

import type { Pod } from "@picokube/api/core/v1";
import { Quantity } from "@picokube/api/quantity";
import type { ContainerUsage, PodUsage } from "./pod-usage.js";
import { type Observations, type StarvedResource, signals } from "./signals.js";
import { type Threshold, thresholdQuantity } from "./thresholds.js";

/** The reason in events and statuses. */
export const evicted = "Evicted";

export interface EvictionCause {
  readonly resource: StarvedResource;
  readonly thresholds: readonly Threshold[];
  readonly observations: Observations;
}

function usedBytes(resource: StarvedResource, usage: ContainerUsage): number | undefined {
  if (resource === "memory") return usage.memoryBytes;
  return resource === "ephemeral-storage" ? usage.rootfs.bytes + usage.logs.bytes : undefined;
}

function thresholdWords({ resource, thresholds, observations }: EvictionCause): string {
  const met = thresholds.find(({ signal }) => signals[signal].resource === resource && observations.has(signal));
  if (!met) return "";
  const { available, capacity } = observations.get(met.signal)!;
  return `Threshold quantity: ${thresholdQuantity(met.value, capacity)}, available: ${available}. `;
}

function podWords(pod: Pod, usage: PodUsage, resource: StarvedResource): string {
  const request = resource === "memory" ? pod.spec?.resources?.requests?.memory : undefined;
  if (request === undefined) return "";
  const used = Quantity.fromValue(usage.memoryBytes, "BinarySI");
  return `Pod ${pod.metadata.name} was using ${used}, request is ${Quantity.parse(request)}, has larger consumption of ${resource}. `;
}

/** The message, trailing space included as upstream's. */
export function evictionMessage(pod: Pod, usage: PodUsage | undefined, cause: EvictionCause): string {
  const { resource } = cause;
  let message = `The node was low on resource: ${resource}. ${thresholdWords(cause)}`;
  if (!usage) return message;
  message += podWords(pod, usage, resource);
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  for (const measured of usage.containers) {
    const container = containers.find(({ name }) => name === measured.name);
    const bytes = usedBytes(resource, measured);
    if (!container || bytes === undefined) continue;
    const used = Quantity.fromValue(bytes, "BinarySI");
    const request = Quantity.parse(container.resources?.requests?.[resource] ?? "0");
    if (used.compare(request) <= 0) continue;
    message += `Container ${container.name} was using ${used}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return message;
}
