// What pods leave on the host and in a kubelet process, as far as it is one kubelet's: for tests that compare before and
// after. Imported by tests alone.

import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { fileURLToPath } from "node:url";
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
export async function filesBelow(directory: string): Promise<string[]> {
  return (await found(directory, "-mindepth", "1", "-printf", "%P\n")).sort();
}

/** Cgroup folders of these pods in any hierarchy. */
export async function cgroupsOf(podUids: readonly string[]): Promise<string[]> {
  const folders = await found("/sys/fs/cgroup", "-type", "d", "-name", "pod*");
  return folders.filter((path) => podUids.some((uid) => path.includes(uid)));
}

/** How many descriptors the process has of each kind. Without the idle connections to the apiserver, of which the pool
 * keeps as many as were once needed at a time. */
export async function descriptorsOf(pid: number, apiserver: string): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${descriptor}`).replace(/:\[\d+\]$/, "");
    } catch {
      continue;
    }
    counts[target] = (counts[target] ?? 0) + 1;
  }
  const filter = ["-Htnp", "state", "established", `( dport = :${new URL(apiserver).port} )`];
  const pooled = linesWith((await run("ss", filter)).stdout, `pid=${pid},`).length;
  return { ...counts, socket: (counts.socket ?? 0) - pooled };
}

/** Of node itself: the process tells of its memory when it is asked. */
export const tellingMemory = ["--expose-gc", `--import=${fileURLToPath(import.meta.resolve("./memory.testing.js"))}`];

/** Bytes in use after all garbage has been collected; how many there are of what a pod has at least one of while it is
 * there, and of what the process waits for: { PodWorker: 0, Timeout: 12 }. */
export async function memoryOf({ process }: KubeletProcess) {
  const told = once(process, "message");
  process.send("memory");
  const [message] = (await told) as [{ heapBytes: number; counts: Record<string, number> }];
  return message;
}
