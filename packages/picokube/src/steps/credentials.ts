// Who is who in the cluster: certificates, the components' kubeconfigs and the administrator's. Makes only what is missing
// or no longer fits.

import { type ClusterNames, ensureClusterPki } from "@picokube/pki/cluster-certificates";
import { adminEntries, writeClusterKubeconfigs, writeKubeconfig } from "@picokube/pki/kubeconfig";
import { mergeIntoUserKubeconfig } from "@picokube/pki/merge-kubeconfig";
import { nthIp } from "../cluster/cidr.js";
import { type Cluster, pathsOf } from "../cluster/cluster.js";

/** What this cluster's certificates must name. */
export function clusterNames(cluster: Cluster): ClusterNames {
  return {
    nodeName: cluster.nodeName,
    nodeIps: [cluster.nodeIp],
    serviceIp: nthIp(cluster.serviceCidr, 1, "--service-cidr"),
    clusterDomain: cluster.clusterDomain,
  };
}

/** Idempotent. The administrator's entries also go into the person's own kubeconfig. */
export async function makeCredentials(cluster: Cluster): Promise<void> {
  const { pki, kubeconfigs } = pathsOf(cluster);
  await ensureClusterPki({ directory: pki, ...clusterNames(cluster) });
  const server = `https://${cluster.nodeIp}:${cluster.ports.securePort}`;
  writeClusterKubeconfigs({ pkiDirectory: pki, kubeconfigDirectory: kubeconfigs, clusterName: cluster.name, server });
  const admin = adminEntries({ pkiDirectory: pki, clusterName: cluster.name, server });
  writeKubeconfig(cluster.adminKubeconfig, admin);
  await mergeIntoUserKubeconfig(admin);
}
