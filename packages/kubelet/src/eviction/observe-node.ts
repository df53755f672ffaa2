// Reads the signals of eviction from the host: memory of the root cgroup, file systems, processes. Decides nothing.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Quantity } from "@picokube/api/quantity";
import { cgroupMountPoint } from "../cgroups/pod-cgroup.js";
import { fileSystem, memInfoBytes } from "../node/machine.js";
import type { Observation, Observations, Signal } from "./signals.js";

/** What cgroup v1 shows where there is no limit is near 2^63. */
const unlimitedBytes = 2 ** 60;

export interface ObservedPlaces {
  /** Holds nodefs. */
  readonly rootDir: string;
  /** Holds image layers and writable layers; undefined when the engine does not say. */
  readonly imageDir: string | undefined;
  /** The cgroup of all pods, below the hierarchy's root; undefined without one. */
  readonly podsCgroup: string | undefined;
}

/** A field of a memory.stat file. */
function statField(memoryStat: string, field: string): number {
  return Number(new RegExp(`^${field} (\\d+)$`, "m").exec(memoryStat)?.[1] ?? 0);
}

/** Bytes that cannot be had back easily: cAdvisor's working set. The root of cgroup v2 counts no usage of its own. */
export function workingSetBytes({ memoryStat, usage }: { memoryStat: string; usage: string | undefined }): number {
  if (usage === undefined) {
    const used = statField(memoryStat, "anon") + statField(memoryStat, "file");
    return Math.max(0, used - statField(memoryStat, "inactive_file"));
  }
  const inactive = /^total_inactive_file /m.test(memoryStat) ? "total_inactive_file" : "inactive_file";
  return Math.max(0, Number(usage) - statField(memoryStat, inactive));
}

const readText = (path: string) => readFile(path, "utf8").catch(() => undefined);

async function firstText(...paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await readText(path);
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Usage, working set and limit of a cgroup, "" being the root; undefined when it is not there. */
export async function cgroupMemory(
  path: string,
  mountPoint = cgroupMountPoint,
): Promise<{ usage: number; workingSet: number; limit: number } | undefined> {
  const [v1, v2] = [join(mountPoint, "memory", path), join(mountPoint, path)];
  const memoryStat = await firstText(join(v1, "memory.stat"), join(v2, "memory.stat"));
  if (memoryStat === undefined) return undefined;
  const usage = await firstText(join(v1, "memory.usage_in_bytes"), join(v2, "memory.current"));
  const limit = await firstText(join(v1, "memory.limit_in_bytes"), join(v2, "memory.max"));
  const limitBytes = Number(limit ?? "max");
  return {
    usage: Number(usage ?? 0),
    workingSet: workingSetBytes({ memoryStat, usage }),
    limit: Number.isNaN(limitBytes) ? Number.POSITIVE_INFINITY : limitBytes,
  };
}

function observation(available: number, capacity: number, format: "BinarySI" | "DecimalSI"): Observation {
  return { available: Quantity.fromValue(available, format), capacity: Quantity.fromValue(capacity, format) };
}

async function memory(podsCgroup: string | undefined): Promise<[Signal, Observation][]> {
  const found: [Signal, Observation][] = [];
  const [root, pods, memInfo] = await Promise.all([
    cgroupMemory(""),
    podsCgroup === undefined ? undefined : cgroupMemory(podsCgroup),
    readText("/proc/meminfo"),
  ]);
  const capacity = memInfoBytes(memInfo ?? "", "MemTotal");
  if (capacity > 0) {
    // Inside a container the root's files may be missing; the kernel's own estimate does then.
    const available = root ? capacity - root.workingSet : memInfoBytes(memInfo ?? "", "MemAvailable");
    found.push(["memory.available", observation(available, capacity, "BinarySI")]);
  }
  if (pods && pods.limit < unlimitedBytes) {
    found.push(["allocatableMemory.available", observation(pods.limit - pods.workingSet, pods.limit, "BinarySI")]);
  }
  return found;
}

async function disk(name: "nodefs" | "imagefs", directory: string | undefined): Promise<[Signal, Observation][]> {
  const found = directory === undefined ? undefined : await fileSystem(directory).catch(() => undefined);
  if (!found) return [];
  const observed: [Signal, Observation][] = [
    [`${name}.available`, observation(found.availableBytes, found.capacityBytes, "BinarySI")],
  ];
  // btrfs and others have no inodes to run out of.
  if (found.inodes > 0) observed.push([`${name}.inodesFree`, observation(found.inodesFree, found.inodes, "DecimalSI")]);
  return observed;
}

async function processes(): Promise<[Signal, Observation][]> {
  const [pidMax, threadsMax, loadavg] = await Promise.all([
    readText("/proc/sys/kernel/pid_max"),
    readText("/proc/sys/kernel/threads-max"),
    readText("/proc/loadavg"),
  ]);
  const running = Number(/\d+\/(\d+)/.exec(loadavg ?? "")?.[1] ?? Number.NaN);
  const most = Math.min(Number(pidMax ?? Number.NaN), Number(threadsMax ?? Number.POSITIVE_INFINITY));
  if (Number.isNaN(running) || Number.isNaN(most)) return [];
  return [["pid.available", observation(most - running, most, "DecimalSI")]];
}

/** All signals that this host can be asked for, as of now. */
export async function observeNode({ rootDir, imageDir, podsCgroup }: ObservedPlaces): Promise<Observations> {
  const found = await Promise.all([
    memory(podsCgroup),
    disk("nodefs", rootDir),
    disk("imagefs", imageDir),
    processes(),
  ]);
  return new Map(found.flat());
}
