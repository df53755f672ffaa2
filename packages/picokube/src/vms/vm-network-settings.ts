// Which private link a cluster's local VMs have: chosen when the first is made, and kept for as long as there are any.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, pathsOf, writeFileWhole } from "../cluster/cluster.js";
import { firstStepOf } from "../cluster/first-step.js";
import { readSettings, type VmNetwork } from "./vm.js";
import { freeVmCidr, VM_RANGE_STEPS } from "./vm-network.js";

const fileOf = (cluster: Pick<Cluster, "dataDir">) => join(pathsOf(cluster).vms, "network.json");

/** Undefined when the cluster has never had a VM. */
export function readVmNetwork(cluster: Pick<Cluster, "dataDir">): VmNetwork | undefined {
  return existsSync(fileOf(cluster)) ? readSettings<VmNetwork>(fileOf(cluster)) : undefined;
}

/** The cluster's link; a new one is chosen apart from what the machine routes and the cluster uses. */
export async function chooseVmNetwork(cluster: Cluster): Promise<VmNetwork> {
  const known = readVmNetwork(cluster);
  if (known) return known;
  const network = {
    bridge: `vm${cluster.podBridge}`,
    cidr: await freeVmCidr([cluster.podCidr, cluster.serviceCidr], firstStepOf(cluster.dataDir, VM_RANGE_STEPS)),
  };
  writeFileWhole(fileOf(cluster), `${JSON.stringify(network, null, 2)}\n`);
  return network;
}

export function forgetVmNetwork(cluster: Pick<Cluster, "dataDir">): void {
  rmSync(fileOf(cluster), { force: true });
}
