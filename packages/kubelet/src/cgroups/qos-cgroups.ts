// How the classes of pods share the processors when they are scarce: burstable pods as much as they request together,
// best-effort pods next to nothing (upstream's qosContainerManager, for CPU). Guaranteed pods stand beside both.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pod } from "@picokube/api/core/v1";
import { podRequests, qosClass } from "@picokube/api/pod";
import { cpuShares, cpuWeight } from "./container-resources.js";
import { type CgroupTree, cgroupMountPoint, podsCgroup } from "./pod-cgroup.js";

/** cpu.shares of each class. */
export function qosShares(pods: readonly Pod[]): { burstable: number; besteffort: number } {
  const millis = pods
    .filter((pod) => qosClass(pod) === "Burstable")
    .reduce((sum, pod) => sum + (podRequests(pod).get("cpu")?.milliValue() ?? 0), 0);
  return { burstable: cpuShares(millis), besteffort: cpuShares(0) };
}

/** Gives the classes their shares. For cgroupfs alone: systemd's slices are systemd's. Throws what the kernel refuses. */
export function shareByQos(tree: CgroupTree, pods: readonly Pod[], mountPoint = cgroupMountPoint): void {
  if (tree.driver === "systemd") return;
  const unified = existsSync(join(mountPoint, "cgroup.controllers"));
  for (const [name, shares] of Object.entries(qosShares(pods))) {
    const folder = join(mountPoint, unified ? "" : "cpu", podsCgroup(tree), name);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, unified ? "cpu.weight" : "cpu.shares");
    const value = unified ? cpuWeight(shares) : shares;
    if (existsSync(file)) writeFileSync(file, String(value));
  }
}
