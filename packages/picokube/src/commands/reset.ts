// `picokube reset`: removes every trace of a cluster from this machine. The daemons themselves clear away what they made
// (--cleanup): containers, bridge and mounts are the kubelet's, rules are kube-proxy's.

import { execFile } from "node:child_process";
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { removeFromUserKubeconfig } from "@picokube/pki/merge-kubeconfig";
import { type Cluster, type ComponentName, pathsOf, readCluster, staticPodPathOf } from "../cluster/cluster.js";
import { commandOf } from "../cluster/components.js";
import { removeFromRegister } from "../cluster/machine-clusters.js";
import { requireRoot } from "../cluster/preflight.js";
import { readVms } from "../vms/vm.js";
import { cutPower, removeVm } from "../vms/vm-lifecycle.js";
import { down } from "./down.js";

const run = promisify(execFile);

/** Idempotent. Throws an Error naming what could not be removed; what comes after it is removed all the same. */
export async function reset(dataDir: string): Promise<void> {
  requireRoot();
  const cluster = readCluster(dataDir);
  if (!cluster) {
    console.log(`There is no cluster in ${dataDir}.`);
    return;
  }
  // What is thrown away need not end in order.
  await Promise.all(readVms(cluster).map(cutPower));
  await down(dataDir);
  const faults: string[] = [];
  for (const vm of readVms(cluster))
    await removeVm(cluster, vm).catch((error: Error) => faults.push(`${vm.name}: ${error.message}`));
  if (!cluster.controlPlaneOnly)
    for (const name of ["kubelet", "kube-proxy"] as const)
      await cleanUp(cluster, name).catch((error: Error) => faults.push(error.message));
  // A joined machine never had the administrator's entries; what is there of that name is somebody's own.
  if (!cluster.joined) {
    await removeFromUserKubeconfig(cluster.name);
    rmSync(cluster.adminKubeconfig, { force: true });
    removeIfEmpty(dirname(cluster.adminKubeconfig));
  }
  for (const path of [...Object.values(pathsOf(cluster)), cluster.logDir])
    rmSync(path, { recursive: true, force: true });
  removeFromRegister(cluster.dataDir);
  const manifests = staticPodPathOf(cluster);
  removeIfEmpty(manifests);
  if (existsSync(manifests)) console.log(`${manifests} holds manifests of static pods, which stay.`);
  else removeIfEmpty(dirname(manifests));
  removeIfEmpty(cluster.dataDir);
  if (faults.length > 0) throw new Error(`not everything could be removed: ${faults.join("; ")}`);
  console.log(`Every trace of the cluster ${cluster.name} is removed.`);
}

async function cleanUp(cluster: Cluster, name: ComponentName): Promise<void> {
  const [command, ...args] = commandOf(cluster, name);
  try {
    await run(command!, [...args, "--cleanup"], { timeout: 120_000, maxBuffer: 16 * 1024 * 1024 });
  } catch (error) {
    const words = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1) ?? (error as Error).message;
    throw new Error(`${name} --cleanup failed: ${words}`, { cause: error });
  }
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}
