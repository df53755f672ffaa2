// Which private link a cluster's local VMs have: chosen when the first is made, and kept for as long as there are any.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { overlapsAny } from "../cluster/cidr.js";
import { type Cluster, pathsOf, writeFileWhole } from "../cluster/cluster.js";
import { routes } from "../cluster/host.js";
import { otherClusters } from "../cluster/machine-clusters.js";
import { stepsOf } from "../cluster/step-order.js";
import { readSettings, type VmNetwork } from "./vm.js";

/** How many ranges there are to choose from. */
const rangeSteps = 256;

const fileOf = (cluster: Pick<Cluster, "dataDir">) => join(pathsOf(cluster).vms, "network.json");

/** Undefined when the cluster has never had a VM. */
export function readVmNetwork(cluster: Pick<Cluster, "dataDir">): VmNetwork | undefined {
  return existsSync(fileOf(cluster)) ? readSettings<VmNetwork>(fileOf(cluster)) : undefined;
}

/** The cluster's link; a new one is chosen apart from what the machine routes and the cluster uses. */
export async function chooseVmNetwork(cluster: Cluster): Promise<VmNetwork> {
  const known = readVmNetwork(cluster);
  if (known) return known;
  const ranges = [cluster.podCidr, cluster.serviceCidr];
  const network = { bridge: `vm${cluster.podBridge}`, cidr: await freeVmCidr(cluster.dataDir, ranges) };
  writeFileWhole(fileOf(cluster), `${JSON.stringify(network, null, 2)}\n`);
  return network;
}

export function forgetVmNetwork(cluster: Pick<Cluster, "dataDir">): void {
  rmSync(fileOf(cluster), { force: true });
}

/** A range that this machine does not route and that is none of those; none of another cluster's either, where that can be. */
export async function freeVmCidr(dataDir: string, taken: readonly string[] = []): Promise<string> {
  const others = otherClusters(dataDir);
  const links = others.flatMap((other) => readVmNetwork(other)?.cidr ?? []);
  const theirs = [...links, ...others.flatMap(({ podCidr, serviceCidr }) => [podCidr, serviceCidr])];
  const ours = [...(await routes()), ...taken];
  const cidrAt = (step: number) => `172.30.${step}.0/24`;
  for (const step of stepsOf(dataDir, rangeSteps, (each) => overlapsAny(cidrAt(each), theirs)))
    if (!overlapsAny(cidrAt(step), ours)) return cidrAt(step);
  throw new Error("no free range was found for the VMs' network: all of 172.30.0.0/16 is routed");
}
