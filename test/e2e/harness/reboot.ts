// What a reboot takes from a machine, as far as one process can do that to its own machine: processes, containers' running,
// bridges, namespaces, rules, mounts. Files stay. Takes one cluster's and nobody else's.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Vm } from "@picokube/picokube/vms/vm";
import { readVms } from "@picokube/picokube/vms/vm";
import { removeVmLink } from "@picokube/picokube/vms/vm-network";
import { killProcessesOf, removeCgroups, unmountBelow } from "@picokube/picokube/vms/vm-processes";
import type { TestCluster } from "./cluster.js";

const run = promisify(execFile);
const out = async (command: string, ...args: string[]) =>
  (await run(command, args, { maxBuffer: 1 << 26 })).stdout.split("\n").filter(Boolean);

/** Of the cluster's containers on the machine's own engine. */
export const scopeOf = ({ dataDir }: Pick<TestCluster, "dataDir">) => `label=io.picokube.scope=${dataDir}/kubelet`;

/** SIGKILL to a supervisor and all that it keeps, or to those of these names: the others go on without one. */
export function killProcesses({ dataDir }: { dataDir: string }, names?: readonly string[]): void {
  const { supervisor, components } = JSON.parse(readFileSync(join(dataDir, "run", "processes.json"), "utf8"));
  // The supervisor first, or it would start the others again.
  process.kill(supervisor.pid, "SIGKILL");
  for (const [name, { process: each }] of Object.entries(components) as [string, { process: { pid: number } }][])
    if (names?.includes(name) ?? true) process.kill(each.pid, "SIGKILL");
}

/** Takes chains of that prefix, jumps into them, rules that name the bridges, and the bridges. */
export async function forgetNetwork(chainPrefix: string, bridges: readonly string[]): Promise<void> {
  for (const table of ["nat", "filter", "mangle"]) {
    const saved = await out("iptables-save", "-t", table);
    const mine = (line: string) => line.includes(`${chainPrefix}-`) || bridges.some((bridge) => line.includes(bridge));
    const chains = saved.flatMap((line) => /^:(\S+)/.exec(line)?.[1] ?? []).filter(mine);
    const flushed = [
      `*${table}`,
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...saved
        .filter((line) => line.startsWith("-A ") && mine(line) && !chains.includes(line.split(" ")[1]!))
        .map((line) => line.replace(/^-A/, "-D")),
      ...chains.map((chain) => `-X ${chain}`),
      "COMMIT\n",
    ];
    const restore = run("iptables-restore", ["--noflush"]);
    restore.child.stdin!.end(flushed.join("\n"));
    await restore;
  }
  for (const bridge of bridges) await run("ip", ["link", "delete", bridge]);
}

/** Reboots the machine under a cluster with local VMs: `picokube up` finds nothing but files and stopped containers. */
export async function rebootHost(cluster: TestCluster): Promise<void> {
  const vms = readVms(cluster);
  killProcesses(cluster);
  for (const vm of vms) killProcesses({ dataDir: vm.directory });
  await Promise.all(vms.map(forgetVm));
  const containers = await out("docker", "ps", "-aq", "--filter", scopeOf(cluster));
  if (containers.length > 0) await run("docker", ["stop", "-t", "0", ...containers]);
  await unmountBelow(cluster.dataDir);
  await forgetNetwork(cluster.chainPrefix, [cluster.podBridge, ...(vms.length > 0 ? [`vm${cluster.podBridge}`] : [])]);
}

async function forgetVm(vm: Vm): Promise<void> {
  await killProcessesOf(vm);
  await unmountBelow(vm.directory);
  await removeVmLink(vm);
  removeCgroups(vm);
}
