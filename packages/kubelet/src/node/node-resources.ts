// Capacity and allocatable of the node from what the machine has and what is held back. Pure.

import { parseQuantity, Quantity } from "@picokube/api/quantity";
import type { Signal } from "../eviction/signals.js";
import { parseThreshold, thresholdQuantity } from "../eviction/thresholds.js";
import type { KubeletSettings } from "../parts.js";

type Reservations = Pick<KubeletSettings, "maxPods" | "evictionHard" | "systemReserved" | "kubeReserved">;

/** Resources that somebody else put into the node's capacity: upstream's IsExtendedResourceName. */
export function extendedResources(capacity: Readonly<Record<string, string | number>>): [string, Quantity][] {
  return Object.entries(capacity).flatMap(([name, amount]): [string, Quantity][] => {
    const [domain = "", rest] = name.split("/");
    if (rest === undefined || domain.endsWith("kubernetes.io") || name.startsWith("requests.")) return [];
    return [[name, parseQuantity(amount)]];
  });
}

interface MachineResources {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Undefined where local storage is not told apart. */
  readonly ephemeralStorageBytes: number | undefined;
}

/** upstream's node status setters MachineInfo and its allocatable calculation. */
export function nodeResources(
  { cpus, memoryBytes, ephemeralStorageBytes }: MachineResources,
  { maxPods, evictionHard, systemReserved, kubeReserved }: Reservations,
  before: Readonly<Record<string, string | number>> = {},
): { capacity: Record<string, string>; allocatable: Record<string, string> } {
  const binary = (bytes: number) => Quantity.fromValue(bytes, "BinarySI");
  const capacity: Record<string, Quantity> = {
    cpu: Quantity.fromValue(cpus),
    ...(ephemeralStorageBytes === undefined ? {} : { "ephemeral-storage": binary(ephemeralStorageBytes) }),
    "hugepages-1Gi": Quantity.zero,
    "hugepages-2Mi": Quantity.zero,
    memory: binary(memoryBytes),
    pods: Quantity.fromValue(maxPods),
    ...Object.fromEntries(extendedResources(before)),
  };
  const held = (signal: Signal, capacityBytes: number) => {
    const threshold = parseThreshold(signal, evictionHard[signal] ?? "0%");
    return threshold ? thresholdQuantity(threshold.value, Quantity.fromValue(capacityBytes)) : Quantity.zero;
  };
  const evicted: Record<string, Quantity> = {
    memory: held("memory.available", memoryBytes),
    "ephemeral-storage": held("nodefs.available", ephemeralStorageBytes ?? 0),
  };
  const text: Record<string, string> = {};
  const allocatable: Record<string, string> = {};
  for (const [name, amount] of Object.entries(capacity)) {
    text[name] = amount.toString();
    let left = amount;
    for (const reserved of [systemReserved[name], kubeReserved[name]]) {
      if (reserved !== undefined) left = left.sub(parseQuantity(reserved));
    }
    if (evicted[name]) left = left.sub(evicted[name]);
    allocatable[name] = (left.sign < 0 ? Quantity.zero : left).toString();
  }
  return { capacity: text, allocatable };
}
