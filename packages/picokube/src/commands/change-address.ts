// What mends a machine whose address has changed, or a joined one whose API server's has: settings, certificates and
// kubeconfigs with the new one, and the processes started anew on them. Pods go on meanwhile.

import { readFileSync } from "node:fs";
import { ConfigError } from "@picokube/component-base/config-error";
import { type Cluster, pathsOf, requireCluster, writeCluster, writeFileWhole } from "../cluster/cluster.js";
import { kubeletKubeconfig } from "../cluster/components.js";
import { addressTowards } from "../cluster/host.js";
import { requireRoot } from "../cluster/preflight.js";
import { machineAddress } from "../cluster/resolve-cluster.js";
import { formatEndpoint, parseEndpoint } from "../join/endpoint.js";
import { requireApiServer, startWorker, waitForWorker } from "../steps/worker.js";
import { stopSupervised } from "../supervisor/stop-supervised.js";
import { up } from "./up.js";

export interface AddressChange {
  /** The machine's new address; "detect" asks the machine. */
  readonly nodeIp?: string;
  /** On a joined machine: where the API server is now. */
  readonly server?: string;
}

/** Resolves when all is up again. Throws ConfigError for what cannot be. */
export async function changeAddress(dataDir: string, { nodeIp, server }: AddressChange): Promise<void> {
  requireRoot();
  const cluster = requireCluster(dataDir);
  if (cluster.joined) return changeWorker(cluster, { ...(nodeIp ? { nodeIp } : {}), ...(server ? { server } : {}) });
  if (server !== undefined)
    throw new ConfigError("--server is for machines that joined: here the API server has this machine's own --node-ip");
  const address = nodeIp === "detect" || nodeIp === undefined ? await machineAddress() : nodeIp;
  // Local VMs run on: `up` tells them where their API server is now.
  await stopSupervised(pathsOf(cluster).processes);
  await up({ dataDir, nodeIp: address, controlPlaneOnly: cluster.controlPlaneOnly, componentArgs: {} });
  console.log(
    `\nOn each machine that joined: picokube certs renew --server https://${formatEndpoint({ host: address, port: cluster.ports.securePort })}`,
  );
}

async function changeWorker(cluster: Cluster, { nodeIp, server }: AddressChange): Promise<void> {
  const endpoint = parseEndpoint(server ?? cluster.joined!.server);
  const known =
    nodeIp === undefined ? cluster.nodeIp : nodeIp === "detect" ? await addressTowards(endpoint.host) : nodeIp;
  if (known === undefined)
    throw new ConfigError(`there is no way from here to ${endpoint.host}: give this machine's address with --node-ip`);
  const changed = { ...cluster, nodeIp: known, joined: { server: `https://${formatEndpoint(endpoint)}` } };
  // Before anything is stopped for an address that was mistyped.
  await requireApiServer(cluster, endpoint);
  await stopSupervised(pathsOf(cluster).processes);
  const path = kubeletKubeconfig(cluster);
  // The kubelet wrote it when it bootstrapped, as JSON: one cluster, whose server is all that changes.
  const kubeconfig = JSON.parse(readFileSync(path, "utf8")) as { clusters: { cluster: { server: string } }[] };
  for (const entry of kubeconfig.clusters) entry.cluster.server = changed.joined.server;
  writeFileWhole(path, `${JSON.stringify(kubeconfig, null, 2)}\n`);
  writeCluster(changed);
  await startWorker(changed);
  await waitForWorker(changed);
  console.log(`The node ${changed.nodeName} (${changed.nodeIp}) is at the cluster at ${changed.joined.server} again.`);
}
