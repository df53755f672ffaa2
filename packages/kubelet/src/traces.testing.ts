// What pods leave on the host, as far as it is one kubelet's: for tests that compare before and
// after. Imported by tests alone.

import { readFileSync } from "node:fs";
import { run, type startKubelet } from "./kubelet.testing.js";

type KubeletProcess = Awaited<ReturnType<typeof startKubelet>>;

const linesWith = (text: string, word: string) => text.split("\n").filter((line) => line.includes(word));

/** Of all pods of the kubelet: containers, wires, addresses, mounts, files with logs and their links, iptables rules. */
export async function tracesOf({ containers, rootDir }: KubeletProcess, bridge: string) {
  return {
    containers: (await containers()).map(({ Names }) => Names),
    wires: (await run("ip", ["-o", "link", "show", "master", bridge])).stdout,
    mounts: linesWith(readFileSync("/proc/mounts", "utf8"), rootDir),
    // Where the search for the next free address goes on is no lease.
    files: (await filesBelow(rootDir)).filter((path) => !path.endsWith("last_reserved_ip")),
    rules: linesWith((await run("iptables-save")).stdout, bridge),
  };
}

/** What find(1) tells; it fails when something goes while it looks, and tells of the rest all the same. */
async function found(...args: string[]): Promise<string[]> {
  const { stdout } = await run("find", args, { maxBuffer: 1e8 }).catch((error: { stdout: string }) => error);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Relative paths, sorted. */
async function filesBelow(directory: string): Promise<string[]> {
  return (await found(directory, "-mindepth", "1", "-printf", "%P\n")).sort();
}

/** Cgroup folders of these pods in any hierarchy. */
export async function cgroupsOf(podUids: readonly string[]): Promise<string[]> {
  const folders = await found("/sys/fs/cgroup", "-type", "d", "-name", "pod*");
  return folders.filter((path) => podUids.some((uid) => path.includes(uid)));
}
