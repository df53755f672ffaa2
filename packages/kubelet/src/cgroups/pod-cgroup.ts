// A pod's place in the cgroup tree: kubepods/<class>/pod<uid>. The engine makes it when the sandbox starts; here it is
// named, given the pod's limits, and removed. Never touches a container's own cgroup.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Pod } from "@picokube/api/core/v1";
import { podLimits, podRequests, qosClass } from "@picokube/api/pod";
import { cpuQuotaUs, cpuShares, cpuWeight } from "./container-resources.js";

export interface CgroupTree {
  readonly driver: "cgroupfs" | "systemd";
  /** "/" or a parent for everything of this kubelet. */
  readonly root: string;
}

/** Where the host has its cgroups. */
export const cgroupMountPoint = "/sys/fs/cgroup";

/** What Docker takes as CgroupParent. */
export function podCgroupParent(pod: Pod, { driver, root }: CgroupTree): string {
  const qos = qosClass(pod).toLowerCase();
  const classes = qos === "guaranteed" ? ["kubepods"] : ["kubepods", qos];
  const { uid } = pod.metadata;
  if (driver === "systemd") return `${[...classes, `pod${uid.replaceAll("-", "_")}`].join("-")}.slice`;
  return join("/", root, ...classes, `pod${uid}`);
}

/** The cgroup of all pods, as a path below the hierarchy's root. */
export function podsCgroup({ driver, root }: CgroupTree): string {
  return driver === "systemd" ? "/kubepods.slice" : join("/", root, "kubepods");
}

/** Folders of the cgroup in each hierarchy that has it. */
function folders(parent: string): string[] {
  const unified = existsSync(join(cgroupMountPoint, "cgroup.controllers"));
  if (unified) return [join(cgroupMountPoint, parent)];
  return readdirSync(cgroupMountPoint).map((controller) => join(cgroupMountPoint, controller, parent));
}

export interface PodCgroupLimits {
  readonly onlyWiden: boolean;
  /** Of the pod's processes together; undefined or below 1 for no limit. */
  readonly maxPids?: number;
  /** The host's when left out. */
  readonly mountPoint?: string;
}

/** Holds the whole pod to the sum of its limits, or, to widen alone, lets a limit that is wider stand. For cgroupfs alone:
 * systemd's slices are systemd's. */
export function limitPodCgroup(
  pod: Pod,
  parent: string,
  { onlyWiden, maxPids, mountPoint = cgroupMountPoint }: PodCgroupLimits,
): void {
  const write = onlyWiden ? widen : writeIfThere;
  const millis = podRequests(pod).get("cpu")?.milliValue() ?? 0;
  const limits = podLimits(pod);
  const everyLimited = (name: "cpu" | "memory") =>
    (pod.spec?.containers ?? []).every(({ resources }) => resources?.limits?.[name] !== undefined);
  const cpu = everyLimited("cpu") ? limits.get("cpu")?.milliValue() : undefined;
  const memory = everyLimited("memory") ? limits.get("memory")?.value() : undefined;
  if (existsSync(join(mountPoint, "cgroup.controllers"))) {
    const folder = join(mountPoint, parent);
    mkdirSync(folder, { recursive: true });
    if (cpu !== undefined) write(join(folder, "cpu.max"), `${cpuQuotaUs(cpu)} 100000`);
    if (memory !== undefined) write(join(folder, "memory.max"), String(memory));
    writeIfThere(join(folder, "cpu.weight"), String(cpuWeight(cpuShares(millis))));
    if (maxPids !== undefined && maxPids > 0) writeIfThere(join(folder, "pids.max"), String(maxPids));
    return;
  }
  for (const controller of ["cpu", "memory", "pids"]) {
    if (existsSync(join(mountPoint, controller))) mkdirSync(join(mountPoint, controller, parent), { recursive: true });
  }
  writeIfThere(join(mountPoint, "cpu", parent, "cpu.shares"), String(cpuShares(millis)));
  if (cpu !== undefined) write(join(mountPoint, "cpu", parent, "cpu.cfs_quota_us"), String(cpuQuotaUs(cpu)));
  if (memory !== undefined) write(join(mountPoint, "memory", parent, "memory.limit_in_bytes"), String(memory));
  if (maxPids !== undefined && maxPids > 0) writeIfThere(join(mountPoint, "pids", parent, "pids.max"), String(maxPids));
}

/** Writes a limit that is higher than the one there; "max" and -1 are none. */
function widen(path: string, value: string): void {
  if (!existsSync(path)) return;
  const now = Number.parseInt(readFileSync(path, "utf8"), 10);
  if (now >= 0 && now < Number.parseInt(value, 10)) writeFileSync(path, value);
}

function writeIfThere(path: string, value: string): void {
  if (existsSync(path)) writeFileSync(path, value);
}

/** Removes the pod's empty cgroup; what is still in use stays. */
export function removePodCgroup(uid: string, { driver, root }: CgroupTree): void {
  if (driver === "systemd") return;
  for (const classes of [["kubepods"], ["kubepods", "burstable"], ["kubepods", "besteffort"]]) {
    for (const folder of folders(join("/", root, ...classes, `pod${uid}`))) {
      if (!existsSync(folder)) continue;
      try {
        for (const child of readdirSync(folder, { withFileTypes: true })) {
          if (child.isDirectory()) rmdirSync(join(folder, child.name));
        }
        rmdirSync(folder);
      } catch {
        // A container is still leaving it: the orphan sweep comes again.
      }
    }
  }
}

/** Removes the classes' cgroups where no pod is left in them; another kubelet's pods keep theirs. */
export function removeQosCgroups({ driver, root }: CgroupTree): void {
  if (driver === "systemd") return;
  for (const classes of [["kubepods", "burstable"], ["kubepods", "besteffort"], ["kubepods"]]) {
    for (const folder of folders(join("/", root, ...classes))) {
      try {
        rmdirSync(folder);
      } catch {
        // Not there, or still in use.
      }
    }
  }
}
