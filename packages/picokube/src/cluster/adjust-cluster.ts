// An existing cluster and the flags of a later `up`: what may change, what may not, and an address that the machine lost.

import { isDeepStrictEqual } from "node:util";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Cluster } from "./cluster.js";
import { hasAddress } from "./host.js";
import { machineAddress, type UpFlags } from "./resolve-cluster.js";

const fixed = {
  serviceCidr: "--service-cidr",
  podCidr: "--pod-cidr",
  clusterDomain: "--cluster-domain",
  nodeName: "--node-name",
} as const;

/** The cluster with the flags laid over it. Throws ConfigError for what an existing cluster cannot change. */
export async function adjustCluster(known: Cluster, flags: UpFlags): Promise<Cluster> {
  for (const [field, flag] of Object.entries(fixed) as [keyof typeof fixed, string][]) {
    const wanted = flags[field];
    if (wanted !== undefined && wanted !== known[field])
      throw new ConfigError(
        `${flag} is ${known[field]} since this cluster was made and cannot become ${wanted}: picokube reset first, or use another --data-dir`,
      );
  }
  return {
    ...known,
    ports: { ...known.ports, securePort: flags.securePort ?? known.ports.securePort },
    nodeIp: flags.nodeIp ?? (hasAddress(known.nodeIp) ? known.nodeIp : await machineAddress()),
    controlPlaneOnly: flags.controlPlaneOnly || known.controlPlaneOnly,
    componentArgs: { ...known.componentArgs, ...flags.componentArgs },
  };
}

/** Throws ConfigError when a running cluster would have to change. */
export function requireUnchanged(running: Cluster, wanted: Cluster): void {
  if (isDeepStrictEqual(running, wanted)) return;
  throw new ConfigError(
    `the cluster ${running.name} is running with other settings: picokube down first, then up with these`,
  );
}
