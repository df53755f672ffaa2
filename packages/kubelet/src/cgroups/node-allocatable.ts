// Holds all pods of the node together to what is not reserved: the limits of kubepods (upstream's enforceNodeAllocatable
// for "pods"). What eviction holds back is not taken off here: pods may use it until they are evicted.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseQuantity } from "@picokube/api/quantity";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { Logger } from "@picokube/component-base/logger";
import type { KubeletSettings } from "../parts.js";
import { cpuShares, cpuWeight } from "./container-resources.js";
import { type CgroupTree, podsCgroup } from "./pod-cgroup.js";

const mountPoint = "/sys/fs/cgroup";

export interface PodsLimits {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
}

/** The capacity less both reservations. */
export function podsLimits(
  { cpuMillis, memoryBytes }: PodsLimits,
  { kubeReserved, systemReserved }: Pick<KubeletSettings, "kubeReserved" | "systemReserved">,
): PodsLimits {
  const reserved = (name: string) =>
    [kubeReserved[name], systemReserved[name]].map((text) => parseQuantity(text ?? "0"));
  const [cpu, memory] = [reserved("cpu"), reserved("memory")];
  return {
    cpuMillis: Math.max(
      0,
      cpu.reduce((left, quantity) => left - quantity.milliValue(), cpuMillis),
    ),
    memoryBytes: Math.max(
      0,
      memory.reduce((left, quantity) => left - quantity.value(), memoryBytes),
    ),
  };
}

export interface Enforcement {
  readonly tree: CgroupTree;
  readonly limits: PodsLimits;
  readonly settings: Pick<KubeletSettings, "nodeName">;
  readonly recorder: EventRecorder;
  readonly logger: Logger;
}

/** Sets the limits and tells of it; a host whose cgroups cannot be written keeps its pods unlimited. */
export function enforceNodeAllocatable({ tree, limits, settings, recorder, logger }: Enforcement): void {
  const node = { apiVersion: "v1", kind: "Node", name: settings.nodeName, uid: settings.nodeName };
  try {
    limitPods(tree, limits);
    const message = "Updated Node Allocatable limit across pods";
    recorder.record(node, { type: "Normal", reason: "NodeAllocatableEnforced", message });
  } catch (err) {
    const message = `Failed to update Node Allocatable Limits ${JSON.stringify(podsCgroup(tree))}: ${(err as Error).message}`;
    logger.error("Failed to enforce Node Allocatable", { err });
    recorder.record(node, { type: "Warning", reason: "FailedNodeAllocatableEnforcement", message });
  }
}

/** Makes kubepods where it is not, and limits it. For cgroupfs alone: systemd's slices are systemd's. */
function limitPods(tree: CgroupTree, { cpuMillis, memoryBytes }: PodsLimits): void {
  if (tree.driver === "systemd") return;
  const path = podsCgroup(tree);
  const write = (file: string, value: number) => {
    if (existsSync(file)) writeFileSync(file, String(value));
  };
  const shares = cpuShares(cpuMillis);
  if (existsSync(join(mountPoint, "cgroup.controllers"))) {
    const folder = join(mountPoint, path);
    mkdirSync(folder, { recursive: true });
    write(join(folder, "cpu.weight"), cpuWeight(shares));
    write(join(folder, "memory.max"), memoryBytes);
    return;
  }
  for (const controller of ["cpu", "memory"]) {
    if (existsSync(join(mountPoint, controller))) mkdirSync(join(mountPoint, controller, path), { recursive: true });
  }
  write(join(mountPoint, "cpu", path, "cpu.shares"), shares);
  write(join(mountPoint, "memory", path, "memory.limit_in_bytes"), memoryBytes);
}
