// `picokube certs list|check|renew`: how the cluster's certificates stand, and new ones while everything runs on.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { type CertificateState, certificateStates } from "@picokube/pki/certificate-states";
import pc from "picocolors";
import { type Cluster, pathsOf, requireCluster as requireAnyCluster } from "../cluster/cluster.js";
import { clusterNames, makeCredentials } from "../steps/credentials.js";
import { printTable } from "./print-table.js";

/** Throws ConfigError on a joined machine, which has no CA to issue anything with. */
function requireCluster(dataDir: string): Cluster {
  const cluster = requireAnyCluster(dataDir);
  if (!cluster.joined) return cluster;
  throw new ConfigError(
    `this machine joined the cluster at ${cluster.joined.server}: its kubelet renews its certificates by itself, they lie in ${pathsOf(cluster).pki}; after a change of address: picokube certs renew --node-ip detect, or --server URL`,
  );
}

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

/** Says what is wrong with each certificate, and what to do; returns whether all is well. */
export function checkCerts(dataDir: string): boolean {
  const cluster = requireCluster(dataDir);
  const faults = statesOf(cluster, Date.now()).filter(({ fault }) => fault !== undefined);
  if (faults.length === 0) console.log(`All certificates of the cluster ${cluster.name} are well.`);
  for (const { fault } of faults) console.log(pc.red(fault!));
  if (faults.some(({ ca }) => ca !== undefined)) console.log("\nTry: picokube certs renew");
  return faults.length === 0;
}

/** Issues these leaf certificates anew, or all of them; running processes take them up within seconds. */
export async function renewCerts(dataDir: string, names: readonly string[]): Promise<void> {
  const cluster = requireCluster(dataDir);
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
  return certificateStates({ directory: pathsOf(cluster).pki, nowMs, ...clusterNames(cluster) });
}
