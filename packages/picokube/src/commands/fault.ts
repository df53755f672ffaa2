// `picokube fault partition|delay|kill|heal|list`: what goes wrong between and in machines, on purpose, and mended again.

import { ConfigError } from "@picokube/component-base/config-error";
import { type Cluster, type ProcessName, pathsOf, requireCluster } from "../cluster/cluster.js";
import { requireRoot } from "../cluster/preflight.js";
import { isAlive, signalProcess } from "../supervisor/process-identity.js";
import { readProcessTable } from "../supervisor/process-table.js";
import { cutBetween, delayLink, type End, linkFaults, mendLink, pullCable } from "../vms/faults.js";
import { readVms, requireVm } from "../vms/vm.js";
import { bootVm, cutPower, isVmRunning, processTableOf } from "../vms/vm-lifecycle.js";
import { printTable } from "./print-table.js";

interface Place {
  readonly dataDir: string;
}

/** Cuts a VM off from everything, or from these machines alone. */
export async function partition(name: string, peers: readonly string[], { dataDir }: Place): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  const vm = requireVm(cluster, name);
  const ends = peers.map((peer): End => (peer === cluster.nodeName ? "host" : requireVm(cluster, peer)));
  if (peers.includes(name)) throw new ConfigError(`${name} cannot be cut off from itself`);
  if (ends.length === 0) await pullCable(vm);
  for (const end of ends) await cutBetween(vm, end);
  console.log(`${name} is cut off from ${peers.length > 0 ? peers.join(", ") : "everything"}; ${mend(name)}`);
}

/** Makes packets to a VM late. */
export async function delay(name: string, delayMs: number, { dataDir }: Place): Promise<void> {
  requireRoot();
  await delayLink(requireVm(requireCluster(dataDir), name), delayMs);
  console.log(`Packets to ${name} are ${delayMs} ms late; ${mend(name)}`);
}

/** Kills one process of a node, which its supervisor starts again, or cuts a VM's power. */
export async function kill(name: string, component: string | undefined, { dataDir }: Place): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  if (component === undefined) {
    await cutPower(requireVm(cluster, name));
    console.log(`${name} has lost its power; ${mend(name)}`);
    return;
  }
  const components = readProcessTable(tableOf(cluster, name)).components;
  const row = components[component as ProcessName];
  if (!row) {
    const known = Object.keys(components).join(", ");
    throw new ConfigError(`${name} has no process "${component}"; ${known ? `there are: ${known}` : "it is off"}`);
  }
  if (!isAlive(row.process)) throw new ConfigError(`${component} of ${name} does not run at this moment`);
  signalProcess(row.process, "SIGKILL");
  console.log(`Killed ${component} of ${name} (process ${row.process.pid}); its supervisor starts it again.`);
}

/** Mends what was done to a VM, or to all of them: link, cuts, power. */
export async function heal(name: string | undefined, { dataDir }: Place): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  const vms = name === undefined ? readVms(cluster) : [requireVm(cluster, name)];
  for (const vm of vms) {
    await mendLink(vm);
    await bootVm(cluster, vm);
  }
  console.log(`${vms.map((vm) => vm.name).join(", ") || "Nothing"} healed.`);
}

/** Prints what is wrong with each VM. */
export async function listFaults({ dataDir }: Place): Promise<void> {
  requireRoot();
  const vms = readVms(requireCluster(dataDir));
  const rows = await Promise.all(
    vms.map(async (vm) => {
      const faults = [...(isVmRunning(vm) ? [] : ["it is off"]), ...(await linkFaults(vm, vms))];
      return { cells: [vm.name, faults.join(", ") || "none"], isGood: faults.length === 0 };
    }),
  );
  printTable(["NODE", "FAULTS"], rows);
}

const mend = (name: string) => `picokube fault heal ${name} mends it.`;

function tableOf(cluster: Cluster, name: string): string {
  return name === cluster.nodeName ? pathsOf(cluster).processes : processTableOf(requireVm(cluster, name));
}
