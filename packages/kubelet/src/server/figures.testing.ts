// What the kernel, du and df say of containers, and what the kubelet's answers say: the two sides that the test of figures
// holds against each other. Imported by tests alone.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const cgroups = "/sys/fs/cgroup";
export const isUnified = existsSync(join(cgroups, "cgroup.controllers"));

export const command = (file: string, ...args: string[]) => execFileSync(file, args, { encoding: "utf8" }).trim();
export const df = (path: string, ...columns: string[]) =>
  command("df", "-B1", `--output=${columns.join(",")}`, path)
    .split("\n")[1]!
    .trim()
    .split(/\s+/)
    .map(Number);
export const du = (path: string) => ({
  usedBytes: Number(command("du", "-s", "-B1", path).split("\t")[0]),
  inodesUsed: Number(command("du", "-s", "--inodes", path).split("\t")[0]),
});

/** The cgroup of a process, for one controller of v1 or for all of v2. */
export function cgroupFile(pid: number, controller: string, file: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").split("\n");
  const line = lines.find((text) =>
    isUnified ? text.startsWith("0::") : text.split(":")[1]!.split(",").includes(controller),
  );
  return readFileSync(join(cgroups, isUnified ? "" : controller, line!.split(":")[2]!, file), "utf8").trim();
}

/** Nanoseconds of a processor that the container of a process has used. */
export function cpuNanos(pid: number): number {
  if (!isUnified) return Number(cgroupFile(pid, "cpuacct", "cpuacct.usage"));
  return Number(/^usage_usec (\d+)$/m.exec(cgroupFile(pid, "cpu", "cpu.stat"))![1]) * 1000;
}

export function received(pid: number): number {
  const line = readFileSync(`/proc/${pid}/net/dev`, "utf8")
    .split("\n")
    .find((text) => text.trim().startsWith("eth0:"));
  return Number(line!.split(":")[1]!.trim().split(/\s+/)[0]);
}

export interface Cpu {
  readonly usageNanoCores?: number;
  readonly usageCoreNanoSeconds: number;
}
export interface Disk {
  readonly name: string;
  readonly usedBytes: number;
  readonly inodesUsed: number;
  readonly inodes: number;
  readonly capacityBytes: number;
  readonly pvcRef?: object;
}
export interface PodSummary {
  readonly podRef: { readonly name: string };
  readonly cpu: Cpu;
  readonly containers: readonly { name: string; cpu: Cpu; rootfs: Disk; logs: Disk; memory: Record<string, number> }[];
  readonly volume: readonly Disk[];
  readonly network: { readonly name: string; readonly rxBytes: number };
  readonly process_stats: { readonly process_count: number };
}
export interface Summary {
  readonly node: {
    readonly cpu: Cpu;
    readonly rlimit: { readonly maxpid: number };
    readonly fs: Disk;
    readonly systemContainers: readonly {
      readonly name: string;
      readonly cpu: Cpu;
      memory: { workingSetBytes: number };
    }[];
  };
  readonly pods: readonly PodSummary[];
}

/** The value of one series; all of the labels that are given must be there. */
export function sample(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  const line = text
    .split("\n")
    .find((one) => one.split(/[{ ]/)[0] === name && wanted.every((pair) => one.includes(pair)));
  const found = line?.replace(/^[^{ ]+(\{.*\})? /, "").split(" ")[0];
  return found === undefined ? undefined : Number(found);
}
