// `picokube join`: makes this machine a worker of a cluster elsewhere. A recipe of steps; nothing is written before the
// cluster has been proven and this machine's name is known to be free.

import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join as joinPath } from "node:path";
import { realClock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import { type BootstrapToken, formatBootstrapToken, parseBootstrapToken } from "@picokube/pki/bootstrap-token";
import { parseCaCertHash } from "@picokube/pki/ca-hash";
import { writeWhole } from "@picokube/pki/pem";
import { Listr } from "listr2";
import pc from "picocolors";
import {
  type Cluster,
  type ComponentName,
  pathsOf,
  readCluster,
  staticPodPathOf,
  writeCluster,
  writeFileWhole,
} from "../cluster/cluster.js";
import { addressTowards } from "../cluster/host.js";
import { enterCluster } from "../cluster/machine-clusters.js";
import { lockMachine } from "../cluster/machine-lock.js";
import { dockerAnswers, requireRoot, requireTools } from "../cluster/preflight.js";
import { resolveCluster } from "../cluster/resolve-cluster.js";
import { askCluster } from "../join/ask-cluster.js";
import { type Discovered, discover } from "../join/discovery.js";
import { type Endpoint, parseEndpoint } from "../join/endpoint.js";
import { bootstrapKubeconfig, type ClusterConfigs, readNetworking, workerConfigFiles } from "../join/worker-files.js";
import { poll } from "../steps/poll.js";
import { startWorker, waitForWorker } from "../steps/worker.js";

/** How long the line waits for the certificate by which logs and exec reach this machine; a person may have to approve it. */
const servingMs = 10_000;

export interface JoinFlags {
  readonly dataDir: string;
  readonly token?: string;
  readonly discoveryTokenCaCertHash: readonly string[];
  readonly skipCaVerification: boolean;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly componentArgs: Readonly<Partial<Record<ComponentName, readonly string[]>>>;
}

interface Parsed {
  readonly endpoint: Endpoint;
  readonly token: BootstrapToken;
  readonly caCertHashes: readonly string[];
}

/** Throws ConfigError for words that cannot be right, before anything is asked of anybody. */
export function parseJoin(address: string, flags: JoinFlags): Parsed {
  const endpoint = parseEndpoint(address);
  if (flags.token === undefined)
    throw new ConfigError(
      "--token is missing: picokube token create --print-join-command on the first machine prints the whole line",
    );
  const token = parseBootstrapToken(flags.token);
  const caCertHashes = flags.discoveryTokenCaCertHash.map(parseCaCertHash);
  if (caCertHashes.length === 0 && !flags.skipCaVerification)
    throw new ConfigError(
      "using token-based discovery without --discovery-token-ca-cert-hash can be unsafe: give it as picokube up printed it, or pass --discovery-token-unsafe-skip-ca-verification to continue",
    );
  return { endpoint, token, caCertHashes };
}

/** Resolves when this machine's Node is Ready. */
export async function join(address: string, flags: JoinFlags): Promise<void> {
  requireRoot();
  const parsed = parseJoin(address, flags);
  const known = readCluster(flags.dataDir);
  if (known)
    throw new ConfigError(
      `this machine is ${known.joined ? `a worker of the cluster at ${known.joined.server}` : "a cluster of its own"} already (${known.dataDir}): picokube ${known.joined ? "leave" : "reset"} first`,
    );
  const startedAt = Date.now();
  const unlock = await lockMachine();
  try {
    const cluster = await joinAlone(parsed, flags);
    console.log(
      `\nThis machine is the node ${pc.bold(cluster.nodeName)} after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`,
    );
    if (!existsSync(servingCertificate(cluster)))
      console.log(
        "\nLogs and exec reach it once its serving certificate is approved, on the first machine:\n  kubectl get csr\n  kubectl certificate approve NAME",
      );
    console.log("\nOn the first machine: kubectl get nodes -o wide\nTo go again: picokube leave");
  } finally {
    unlock();
  }
}

const servingCertificate = (cluster: Cluster) => joinPath(pathsOf(cluster).pki, "kubelet-server-current.pem");

async function joinAlone({ endpoint, token, caCertHashes }: Parsed, flags: JoinFlags): Promise<Cluster> {
  let found: Discovered;
  let configs: ClusterConfigs;
  let cluster: Cluster;
  const steps = new Listr(
    [
      {
        title: "Discover the cluster and check whom it is",
        task: async () => {
          found = await discover({ endpoint, token, caCertHashes, clock: realClock() });
        },
      },
      {
        title: "Check the machine",
        task: async () => {
          const nodeIp = flags.nodeIp ?? (await addressTowards(endpoint.host));
          const { dataDir, nodeName, componentArgs } = flags;
          const place = {
            dataDir,
            ...(nodeName ? { nodeName } : {}),
            ...(nodeIp ? { nodeIp } : {}),
            componentArgs,
            controlPlaneOnly: false,
          };
          // The cluster's ranges come with its configuration; the name is wanted before that is asked for.
          const bare = await resolveCluster({ ...place, podCidr: "10.244.0.0/16", serviceCidr: "10.96.0.0/16" });
          requireTools(bare);
          await dockerAnswers();
          configs = await askCluster(found, { token, nodeName: bare.nodeName });
          cluster = { ...bare, ...readNetworking(configs.cluster), joined: { server: found.server } };
        },
      },
      {
        title: "Write settings and configuration files",
        task: () => {
          const { config, kubeconfigs, pki } = pathsOf(cluster);
          for (const [name, text] of Object.entries(workerConfigFiles(cluster, configs)))
            writeFileWhole(joinPath(config, name), text);
          mkdirSync(staticPodPathOf(cluster), { recursive: true });
          writeWhole(joinPath(pki, "ca.crt"), found.ca, 0o644);
          writeFileWhole(bootstrapPath(kubeconfigs), bootstrapKubeconfig(found, formatBootstrapToken(token)));
          writeCluster(cluster);
          enterCluster(cluster.dataDir);
        },
      },
      { title: "Start kubelet, kube-proxy", task: () => startWorker(cluster) },
      {
        title: "Wait for the kubelet's certificate and for the node to be Ready",
        task: async () => {
          await waitForWorker(cluster);
          rmSync(bootstrapPath(pathsOf(cluster).kubeconfigs), { force: true });
          const issued = async () => (existsSync(servingCertificate(cluster)) ? undefined : "not yet");
          await poll("no serving certificate", servingMs, issued).catch(() => {});
        },
      },
    ],
    { renderer: process.stdout.isTTY ? "default" : "simple", rendererOptions: { timer: undefined } },
  );
  await steps.run();
  return cluster!;
}

const bootstrapPath = (kubeconfigs: string) => joinPath(kubeconfigs, "bootstrap-kubelet.kubeconfig");
