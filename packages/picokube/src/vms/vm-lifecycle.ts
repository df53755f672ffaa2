// Boots, halts and removes local VMs: link, credentials, files, supervisor. Knows nothing of Nodes and pods.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeNodeKubeconfigs } from "@picokube/pki/kubeconfig";
import { ensureNodePki } from "@picokube/pki/node-certificates";
import { type Cluster, pathsOf, staticPodPathOf, writeFileWhole } from "../cluster/cluster.js";
import { kubeletKubeconfig } from "../cluster/components.js";
import { configFiles } from "../cluster/config-files.js";
import { isAlive, signalProcess, waitForExit } from "../supervisor/process-identity.js";
import { readProcessTable, writeProcessTable } from "../supervisor/process-table.js";
import { startSupervisor } from "../supervisor/start-supervisor.js";
import { stopSupervised } from "../supervisor/stop-supervised.js";
import { mendLink } from "./faults.js";
import { clusterInVm, readVms, type Vm, type VmNetwork } from "./vm.js";
import { writeEngineConfig } from "./vm-engine.js";
import { ensureVmBridge, ensureVmLink, removeVmBridge, removeVmLink, routeToHost } from "./vm-network.js";
import { chooseVmNetwork, forgetVmNetwork, readVmNetwork } from "./vm-network-settings.js";
import { killProcessesOf, removeCgroups, unmountBelow } from "./vm-processes.js";

/** Where the VM's supervisor writes what runs. */
export const processTableOf = (vm: Pick<Vm, "directory">) => pathsOf({ dataDir: vm.directory }).processes;

export const isVmRunning = (vm: Vm) => isAlive(readProcessTable(processTableOf(vm)).supervisor);

/** Makes the credentials of the VM's kubelet and kube-proxy; what is there and fits stays. */
export async function makeVmCredentials(cluster: Cluster, vm: Vm): Promise<void> {
  const paths = pathsOf({ dataDir: vm.directory });
  const { pki: caDirectory } = pathsOf(cluster);
  await ensureNodePki({ directory: paths.pki, caDirectory, nodeName: vm.name, nodeIps: [vm.address] });
  writeNodeKubeconfigs({
    pkiDirectory: paths.pki,
    kubeconfigDirectory: paths.kubeconfigs,
    clusterName: cluster.name,
    server: `https://${cluster.nodeIp}:${cluster.ports.securePort}`,
  });
}

/** Switches the VM on; idempotent. Its Node becomes Ready some seconds later. */
export async function bootVm(cluster: Cluster, vm: Vm): Promise<void> {
  const network = await chooseVmNetwork(cluster);
  await ensureVmBridge(network);
  // A cable that was pulled out of a running VM stays out.
  if (isVmRunning(vm)) return followHost(cluster, network, vm);
  await ensureVmLink(network, vm, { hostAddress: cluster.nodeIp });
  const seen = clusterInVm(cluster, vm);
  await makeVmCredentials(cluster, vm);
  const { config } = pathsOf(seen);
  for (const name of ["kubelet.yaml", "kube-proxy.yaml"] as const)
    writeFileWhole(join(config, name), configFiles(seen)[name]!);
  mkdirSync(staticPodPathOf(seen), { recursive: true });
  writeEngineConfig(vm);
  await startSupervisor({
    args: [`--data-dir=${cluster.dataDir}`, `--node=${vm.name}`],
    tablePath: processTableOf(vm),
    logDir: seen.logDir,
  });
}

/** Tells a running VM where the API server is, when the host has another address than it knows: its kubelet and kube-proxy start
 *  anew on it, its engine and its pods go on. */
async function followHost(cluster: Cluster, network: VmNetwork, vm: Vm): Promise<void> {
  const kubeconfig = () => readFileSync(kubeletKubeconfig(clusterInVm(cluster, vm)), "utf8");
  const known = kubeconfig();
  await makeVmCredentials(cluster, vm);
  if (kubeconfig() === known) return;
  await routeToHost(network, vm, { hostAddress: cluster.nodeIp });
  const { components } = readProcessTable(processTableOf(vm));
  for (const name of ["kubelet", "kube-proxy"] as const) signalProcess(components[name]?.process, "SIGTERM");
}

/** Shuts the VM down in order: kube-proxy, kubelet, the engine with its containers. Resolves to whether it ran. */
export async function haltVm(vm: Vm): Promise<boolean> {
  const ran = await stopSupervised(processTableOf(vm));
  await killProcessesOf(vm);
  return ran;
}

/** A power cut: every process of the VM ends at once, and nothing is told to anybody. */
export async function cutPower(vm: Vm): Promise<void> {
  const table = processTableOf(vm);
  const { supervisor } = readProcessTable(table);
  // First, or it would start the others again.
  signalProcess(supervisor, "SIGKILL");
  await waitForExit(supervisor, 5_000);
  await killProcessesOf(vm);
  writeProcessTable(table, { supervisor: undefined, components: {} });
}

/** Takes the VM away with all it held: containers, images, mounts, cgroups, its cable, its files. */
export async function removeVm(cluster: Cluster, vm: Vm): Promise<void> {
  await cutPower(vm);
  await unmountBelow(vm.directory);
  await mendLink(vm);
  await removeVmLink(vm);
  removeCgroups(vm);
  rmSync(vm.directory, { recursive: true, force: true });
  rmSync(clusterInVm(cluster, vm).logDir, { recursive: true, force: true });
  const network = readVmNetwork(cluster);
  if (network && readVms(cluster).length === 0) {
    await removeVmBridge(network);
    forgetVmNetwork(cluster);
  }
}
