// What a cluster on this machine is: its settings, written down at the first `up` so that every later command means the
// same cluster. Holds names, addresses and paths; starts nothing.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";

export const componentNames = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "cluster-dns",
] as const;
export type ComponentName = (typeof componentNames)[number];

/** What a supervisor keeps running: components, and in a local VM its engine. */
export type ProcessName = ComponentName | "dockerd";

export interface Ports {
  readonly securePort: number;
  readonly controllerManager: number;
  readonly scheduler: number;
  readonly kubelet: number;
  readonly kubeletHealth: number;
  readonly proxyMetrics: number;
  readonly proxyHealth: number;
  readonly dns: number;
  readonly dnsHealth: number;
}

export const defaultPorts: Ports = {
  securePort: 6443,
  controllerManager: 10257,
  scheduler: 10259,
  kubelet: 10250,
  kubeletHealth: 10248,
  proxyMetrics: 10249,
  proxyHealth: 10256,
  dns: 10053,
  dnsHealth: 10054,
};

export interface Cluster {
  /** Context in the kubeconfig, and the name under which the kubelet labels what it makes. */
  readonly name: string;
  readonly dataDir: string;
  readonly logDir: string;
  readonly adminKubeconfig: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  readonly clusterDomain: string;
  readonly controlPlaneOnly: boolean;
  readonly ports: Ports;
  /** The pod network's bridge and the first word of kube-proxy's chains: what keeps two clusters on a host apart. */
  readonly podBridge: string;
  /** This machine is a worker of a cluster elsewhere, whose API server is there. */
  readonly joined?: { readonly server: string };
  readonly chainPrefix: string;
  /** Extra flags by component, each without its dashes: "max-pods=50". */
  readonly componentArgs: Readonly<Partial<Record<ComponentName, readonly string[]>>>;
}

export const defaultDataDir = "/var/lib/picokube";

/** Where everything of a cluster lies. */
export function pathsOf(cluster: Pick<Cluster, "dataDir">) {
  const { dataDir } = cluster;
  return {
    settings: join(dataDir, "cluster.json"),
    pki: join(dataDir, "pki"),
    kubeconfigs: join(dataDir, "kubeconfig"),
    config: join(dataDir, "config"),
    store: join(dataDir, "store"),
    kubelet: join(dataDir, "kubelet"),
    vms: join(dataDir, "vms"),
    run: join(dataDir, "run"),
    processes: join(dataDir, "run", "processes.json"),
    specs: join(dataDir, "run", "components.json"),
    lock: join(dataDir, "run", "supervisor.lock"),
  };
}

/** Where the kubelet finds the manifests of static pods: upstream's place, or a further cluster's own. Also a person's files
 *  lie there, so it is no part of the cluster's paths, which are removed with it. */
export function staticPodPathOf({ dataDir }: Pick<Cluster, "dataDir">): string {
  return dataDir === defaultDataDir ? "/etc/kubernetes/manifests" : join(dataDir, "manifests");
}

/** The cluster of that directory; undefined when none was ever brought up there. Throws ConfigError on a damaged file. */
export function readCluster(dataDir: string): Cluster | undefined {
  const path = pathsOf({ dataDir }).settings;
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Cluster;
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${(error as Error).message}; restore it, or run picokube reset`, {
      cause: error,
    });
  }
}

/** Like readCluster, for commands that need one. */
export function requireCluster(dataDir: string): Cluster {
  const cluster = readCluster(dataDir);
  if (!cluster) throw new ConfigError(`no cluster in ${dataDir}: run picokube up first, or give its --data-dir`);
  return cluster;
}

/** Writes the settings whole or not at all. */
export function writeCluster(cluster: Cluster): void {
  writeFileWhole(pathsOf(cluster).settings, `${JSON.stringify(cluster, null, 2)}\n`);
}

/** Writes beside and renames, so that a reader never sees half a file. Mode 0600. */
export function writeFileWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const beside = `${path}.${process.pid}.tmp`;
  writeFileSync(beside, text, { mode: 0o600 });
  renameSync(beside, path);
}
