// The processes of a local VM, found in /proc: those in its network namespace, and those in its cgroup (containers have
// namespaces of their own). Ends them all at once, as a power cut does.

import { existsSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { run } from "./run.js";
import { pathsOfVm, type Vm } from "./vm.js";

const cgroupMount = "/sys/fs/cgroup";
const endMs = 30_000;

/** Process ids. A person's shell in the VM is one of them. */
export function processesOf(vm: Vm): number[] {
  const { namespace } = pathsOfVm(vm);
  const network = existsSync(namespace) ? statSync(namespace, { bigint: true }).ino : undefined;
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && (isInNamespace(pid, network) || isInCgroup(pid, vm.cgroup)));
}

function isInNamespace(pid: number, network: bigint | undefined): boolean {
  if (network === undefined) return false;
  try {
    return statSync(`/proc/${pid}/ns/net`, { bigint: true }).ino === network;
  } catch {
    return false;
  }
}

function isInCgroup(pid: number, cgroup: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, "utf8")
      .split("\n")
      .some((line) => line.slice(line.indexOf(":", line.indexOf(":") + 1) + 1).startsWith(`${cgroup}/`));
  } catch {
    return false;
  }
}

/** SIGKILL to all of them, again until none is left. Throws when some do not end within 30 s. */
export async function killProcessesOf(vm: Vm): Promise<void> {
  const deadline = Date.now() + endMs;
  for (;;) {
    const left = processesOf(vm);
    if (left.length === 0) return;
    if (Date.now() > deadline) throw new Error(`processes of ${vm.name} do not end: ${left.join(", ")}`);
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has just ended.
      }
    }
    await new Promise((done) => setTimeout(done, 30));
  }
}

/** Takes away what the VM's processes had mounted below its directory, the newest first: overlays, shared memory, namespaces. */
export async function unmountBelow(directory: string): Promise<void> {
  const points = readFileSync("/proc/mounts", "utf8")
    .split("\n")
    .flatMap((line) => line.split(" ")[1] ?? [])
    .map((point) => point.replace(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8))))
    .filter((point) => point.startsWith(`${directory}/`))
    .reverse();
  // Some go with others.
  for (const point of points) await run("umount", ["--lazy", point]).catch(() => undefined);
}

/** Removes the VM's empty cgroups, in every hierarchy that has them. */
export function removeCgroups(vm: Vm): void {
  const trees = existsSync(join(cgroupMount, "cgroup.controllers"))
    ? [cgroupMount]
    : readdirSync(cgroupMount).map((controller) => join(cgroupMount, controller));
  for (const tree of trees) removeTree(join(tree, vm.cgroup));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  rmdirSync(folder);
}
