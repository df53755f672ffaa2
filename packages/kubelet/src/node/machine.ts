// What the host says of itself: files of /proc, /sys and /etc turned into the words of a Node. Reads, never writes.

import { readFile, stat, statfs } from "node:fs/promises";
import { cpus, networkInterfaces, release } from "node:os";

export interface Machine {
  readonly machineID: string;
  readonly systemUUID: string;
  readonly bootID: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
}

async function firstLine(...paths: string[]): Promise<string> {
  for (const path of paths) {
    try {
      const line = (await readFile(path, "utf8")).split("\n")[0]!.trim();
      if (line !== "") return line;
    } catch {
      // The next path may exist.
    }
  }
  return "";
}

/** PRETTY_NAME of an os-release file. */
export function prettyName(osRelease: string): string {
  const line = osRelease.split("\n").find((text) => text.startsWith("PRETTY_NAME="));
  return line ? line.slice("PRETTY_NAME=".length).replace(/^(["'])(.*)\1$/, "$2") : "";
}

/** A field of /proc/meminfo in bytes. */
export function memInfoBytes(memInfo: string, field: string): number {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(memInfo);
  return found ? Number(found[1]) * 1024 : 0;
}

/** What does not change while the kubelet runs. */
export async function readMachine(): Promise<Machine> {
  const machineID = await firstLine("/etc/machine-id", "/var/lib/dbus/machine-id");
  const [osRelease, memInfo] = await Promise.all([
    readFile("/etc/os-release", "utf8").catch(() => ""),
    readFile("/proc/meminfo", "utf8"),
  ]);
  return {
    machineID,
    systemUUID: (await firstLine("/sys/class/dmi/id/product_uuid")) || machineID,
    bootID: await firstLine("/proc/sys/kernel/random/boot_id"),
    kernelVersion: release(),
    osImage: prettyName(osRelease) || "Linux",
    cpus: cpus().length,
    memoryBytes: memInfoBytes(memInfo, "MemTotal"),
    swapBytes: memInfoBytes(memInfo, "SwapTotal"),
  };
}

/** Whether the kernel enforces AppArmor profiles. */
export async function hasAppArmor(): Promise<boolean> {
  return (await firstLine("/sys/module/apparmor/parameters/enabled")).startsWith("Y");
}

/** The interface of the default route with the lowest metric, out of /proc/net/route. */
export function defaultRouteInterface(routeTable: string): string | undefined {
  let best: { name: string; metric: number } | undefined;
  for (const line of routeTable.split("\n").slice(1)) {
    const [name, destination, , flags, , , metric, mask] = line.trim().split(/\s+/);
    if (!name || destination !== "00000000" || mask !== "00000000" || (Number.parseInt(flags ?? "0", 16) & 1) === 0) {
      continue;
    }
    if (!best || Number(metric) < best.metric) best = { name, metric: Number(metric) };
  }
  return best?.name;
}

/** The address that other nodes reach this one at: the default route's interface's, else any that is not loopback. */
export async function hostAddress(): Promise<string | undefined> {
  const route = defaultRouteInterface(await readFile("/proc/net/route", "utf8").catch(() => ""));
  const interfaces = networkInterfaces();
  const usable = (name: string) =>
    interfaces[name]?.find(({ family, internal }) => family === "IPv4" && !internal)?.address;
  if (route && usable(route)) return usable(route);
  const others = Object.keys(interfaces).filter((name) => !/^(docker|br-|veth|pico|cni|flannel)/.test(name));
  return others.map(usable).find((address) => address !== undefined);
}

/** Whether two paths lie on one file system; what is not there lies where / does. */
export async function sameFileSystem(a: string, b: string): Promise<boolean> {
  const deviceOf = async (path: string) => (await stat(path).catch(() => stat("/"))).dev;
  return (await deviceOf(a)) === (await deviceOf(b));
}

/** Size and room of the file system that holds a directory. */
export async function fileSystem(path: string): Promise<{
  capacityBytes: number;
  /** With what is kept for root. */
  freeBytes: number;
  availableBytes: number;
  inodes: number;
  inodesFree: number;
}> {
  const { blocks, bfree, bavail, bsize, files, ffree } = await statfs(path);
  return {
    capacityBytes: blocks * bsize,
    freeBytes: bfree * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesFree: ffree,
  };
}
