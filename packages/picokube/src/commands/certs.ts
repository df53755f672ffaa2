// `picokube certs list|check|renew`: how the certificates of this machine stand, and new ones while everything runs on.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { type CertificateState, certificateStates, joinedCertificateStates } from "@picokube/pki/certificate-states";
import pc from "picocolors";
import { type Cluster, pathsOf, requireCluster } from "../cluster/cluster.js";
import { hasAddress } from "../cluster/host.js";
import { parseEndpoint } from "../join/endpoint.js";
import { clusterNames, makeCredentials } from "../steps/credentials.js";
import { requireApiServer } from "../steps/worker.js";
import { printTable } from "./print-table.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Prints a row a certificate. */
export function listCerts(dataDir: string): void {
  const nowMs = Date.now();
  const rows = statesOf(requireCluster(dataDir), nowMs).map(({ name, ca, expiresMs, fault }) => ({
    cells: [
      name,
      expiresMs === undefined ? "<unknown>" : new Date(expiresMs).toISOString().replace(/\.\d+Z$/, "Z"),
      expiresMs === undefined ? "-" : `${Math.floor((expiresMs - nowMs) / DAY_MS)}d`,
      ca ?? "-",
      fault ?? "ok",
    ],
    isGood: fault === undefined,
  }));
  printTable(["CERTIFICATE", "EXPIRES", "RESIDUAL TIME", "CERTIFICATE AUTHORITY", "STATE"], rows);
}

/** Says what is wrong with each certificate and with the addresses that it is known by, and what to do; resolves to whether
 *  all is well. */
export async function checkCerts(dataDir: string): Promise<boolean> {
  const cluster = requireCluster(dataDir);
  const faults = statesOf(cluster, Date.now()).filter(({ fault }) => fault !== undefined);
  const misplaced = [...addressFaults(cluster), ...(cluster.joined ? await serverFaults(cluster) : [])];
  for (const words of [...faults.map(({ fault }) => fault!), ...misplaced]) console.log(pc.red(words));
  if (faults.length + misplaced.length === 0)
    console.log(
      cluster.joined
        ? `All certificates of the node ${cluster.nodeName} are well.`
        : `All certificates of the cluster ${cluster.name} are well.`,
    );
  const mend = cluster.joined
    ? "Try: picokube certs renew --node-ip detect here; kubectl get csr and kubectl certificate approve on the first machine"
    : "Try: picokube certs renew";
  if (faults.some(({ ca }) => ca !== undefined)) console.log(`\n${mend}`);
  return faults.length + misplaced.length === 0;
}

/** Certificates that name another address than the machine's are good for nothing. */
function addressFaults({ nodeName, nodeIp }: Cluster): string[] {
  if (hasAddress(nodeIp)) return [];
  return [
    `this machine no longer has the address ${nodeIp}, by which the cluster knows ${nodeName}: picokube certs renew --node-ip detect`,
  ];
}

/** Whether a joined machine reaches its API server, by its address and with the cluster's CA. */
async function serverFaults(cluster: Cluster): Promise<string[]> {
  const mend = "if the first machine has another address now: picokube certs renew --server https://NEW:PORT";
  return requireApiServer(cluster, parseEndpoint(cluster.joined!.server)).then(
    () => [],
    (error: Error) => [`${error.message}; ${mend}`],
  );
}

/** Issues these leaf certificates anew, or all of them; running processes take them up within seconds. */
export async function renewCerts(dataDir: string, names: readonly string[]): Promise<void> {
  const cluster = requireCluster(dataDir);
  if (cluster.joined)
    throw new ConfigError(
      `this machine joined the cluster at ${cluster.joined.server}: its kubelet renews its certificates by itself, they lie in ${pathsOf(cluster).pki}; after a change of address: picokube certs renew --node-ip detect, or --server URL`,
    );
  const leafs = statesOf(cluster, Date.now()).filter(({ ca }) => ca !== undefined);
  const unknown = names.find((name) => !leafs.some((leaf) => leaf.name === name));
  if (unknown !== undefined) {
    const known = leafs.map(({ name }) => name).join(", ");
    throw new ConfigError(`there is no certificate "${unknown}" to renew; there are: ${known}`);
  }
  const chosen = leafs.filter(({ name }) => names.length === 0 || names.includes(name));
  // What is missing is issued: in its place at once, so that nobody reads a gap for long.
  for (const { name } of chosen) rmSync(join(pathsOf(cluster).pki, `${name}.crt`), { force: true });
  await makeCredentials(cluster);
  for (const { name } of chosen) console.log(`renewed ${name}`);
  console.log("\nRunning processes take new certificates up within some ten seconds.");
}

function statesOf(cluster: Cluster, nowMs: number): CertificateState[] {
  const place = { directory: pathsOf(cluster).pki, nowMs };
  const { nodeName, nodeIp } = cluster;
  return cluster.joined
    ? joinedCertificateStates({ ...place, nodeName, nodeIps: [nodeIp] })
    : certificateStates({ ...place, ...clusterNames(cluster) });
}
