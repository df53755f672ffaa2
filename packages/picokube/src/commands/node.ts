// `picokube node list|add|start|stop|remove|shell`: the local VMs of a cluster and their Nodes.

import { spawn } from "node:child_process";
import { type Node, nodes } from "@picokube/api/core/v1";
import { isNotFound } from "@picokube/api/errors";
import type { Client } from "@picokube/client/client";
import { ConfigError } from "@picokube/component-base/config-error";
import { type Cluster, requireCluster } from "../cluster/cluster.js";
import { lockMachine } from "../cluster/machine-lock.js";
import { requireLocalEngines, requireRoot } from "../cluster/preflight.js";
import { probeHealth } from "../cluster/probe-health.js";
import { adminClient } from "../steps/admin-client.js";
import { nodeIsReady } from "../steps/node-is-ready.js";
import { poll } from "../steps/poll.js";
import { clusterInVm, insideVm, pathsOfVm, planVm, readVms, requireVm, type Vm, writeVm } from "../vms/vm.js";
import { vmComponentSpecs } from "../vms/vm-components.js";
import { bootVm, cutPower, haltVm, isVmRunning, removeVm } from "../vms/vm-lifecycle.js";
import { chooseVmNetwork } from "../vms/vm-network-settings.js";
import { printTable } from "./print-table.js";

const readyMs = 120_000;

export interface NodeFlags {
  readonly dataDir: string;
  readonly registryMirrors: readonly string[];
}

/** Prints a row a node of the cluster, this machine and those that joined from elsewhere too. */
export async function listNodes(dataDir: string): Promise<void> {
  const cluster = requireCluster(dataDir);
  const vms = readVms(cluster);
  const known = await adminClient(cluster)
    .list(nodes)
    .then(
      ({ items }) => items,
      () => [] as Node[],
    );
  const names = [...new Set([cluster.nodeName, ...vms.map(({ name }) => name), ...known.map((n) => n.metadata.name)])];
  const rows = names.map((name) => {
    const vm = vms.find((each) => each.name === name);
    const node = known.find(({ metadata }) => metadata.name === name);
    const ready = node?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
    const address = node?.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    const kind = vm ? "local VM" : name === cluster.nodeName ? "this machine" : "elsewhere";
    const power = vm ? (isVmRunning(vm) ? "on" : "off") : "-";
    const state = ready === "True" ? "Ready" : node ? "NotReady" : "unknown";
    return { cells: [name, kind, address ?? vm?.address ?? "-", power, state], isGood: ready === "True" };
  });
  printTable(["NODE", "WHERE", "ADDRESS", "POWER", "STATE"], rows);
}

/** Makes and boots VMs until the cluster has one of that name, or one more; resolves when it is Ready. */
export async function addNode(name: string | undefined, { dataDir, registryMirrors }: NodeFlags): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  const startedAt = Date.now();
  const unlock = await lockMachine();
  let vm: Vm;
  try {
    vm = await makeVm(cluster, { ...(name === undefined ? {} : { name }), registryMirrors });
    await bootVm(cluster, vm);
  } finally {
    unlock();
  }
  await waitUntilReady(adminClient(cluster), cluster, vm);
  console.log(`${vm.name} (${vm.address}) is Ready after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`);
}

/** Writes a new VM's settings down; boots nothing. Throws ConfigError where there can be none. */
export async function makeVm(
  cluster: Cluster,
  wanted: { name?: string; registryMirrors?: readonly string[] },
): Promise<Vm> {
  if (cluster.joined) throw new ConfigError("this machine is a worker: local VMs are made on the first machine");
  requireLocalEngines();
  const vm = planVm(cluster, await chooseVmNetwork(cluster), wanted);
  writeVm(vm);
  return vm;
}

/** Waits for the VM's Node to be Ready; throws naming its logs. */
export async function waitUntilReady(client: Client, cluster: Cluster, vm: Vm): Promise<void> {
  const { logDir } = clusterInVm(cluster, vm);
  const kubelet = vmComponentSpecs(cluster, vm).find(({ name }) => name === "kubelet")!;
  await poll(`node ${vm.name} was not Ready`, readyMs, async () => {
    // Of a VM that was off for a moment the API still tells what was.
    const { ok, words } = await probeHealth(kubelet.healthUrl);
    return ok ? nodeIsReady(client, vm.name) : `its kubelet: ${words}`;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; see the logs in ${logDir}, or picokube status`, { cause: error });
  });
}

/** Boots it; resolves when it is Ready. */
export async function startNode(name: string, dataDir: string): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  const vm = requireVm(cluster, name);
  await bootVm(cluster, vm);
  await waitUntilReady(adminClient(cluster), cluster, vm);
  console.log(`${name} is on and Ready.`);
}

/** Shuts it down in order, or with `force` as a power cut does. */
export async function stopNode(name: string, { dataDir, force }: { dataDir: string; force: boolean }): Promise<void> {
  requireRoot();
  const vm = requireVm(requireCluster(dataDir), name);
  await (force ? cutPower(vm) : haltVm(vm));
  console.log(`${name} is off. Its disk stays; picokube node start ${name} boots it again.`);
}

/** Deletes the Node, so that its pods are made anew elsewhere, and the VM with all it held. */
export async function removeNode(name: string, dataDir: string): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  const vm = requireVm(cluster, name);
  await cutPower(vm);
  await adminClient(cluster)
    .delete(nodes, { name })
    .catch((error: unknown) => {
      if (!isNotFound(error)) console.error(`the Node ${name} could not be deleted: ${(error as Error).message}`);
    });
  await removeVm(cluster, vm);
  console.log(`${name} is removed, its containers and images too.`);
}

/** A shell, or a command, inside the VM; resolves to its exit code. DOCKER_HOST names the VM's engine. */
export function shellIn(name: string, { dataDir, command }: { dataDir: string; command: readonly string[] }) {
  requireRoot();
  const vm = requireVm(requireCluster(dataDir), name);
  const words = command.length > 0 ? command : [process.env.SHELL ?? "/bin/sh"];
  const [program, ...args] = [...insideVm(vm), ...words];
  const env = { ...process.env, DOCKER_HOST: `unix://${pathsOfVm(vm).socket}`, PICOKUBE_NODE: name };
  const child = spawn(program!, args, { stdio: "inherit", env });
  return new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code ?? 1));
  });
}
