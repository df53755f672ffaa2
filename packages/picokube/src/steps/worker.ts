// What runs on a joined machine: its kubelet and kube-proxy, started and waited for.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import pc from "picocolors";
import { type Cluster, pathsOf } from "../cluster/cluster.js";
import { componentSpec, kubeletKubeconfig } from "../cluster/components.js";
import { dockerAnswers, requireTools } from "../cluster/preflight.js";
import { probeHealth } from "../cluster/probe-health.js";
import { askEndpoint, type Endpoint } from "../join/endpoint.js";
import { startSupervisor } from "../supervisor/start-supervisor.js";
import { nodeIsReady } from "./node-is-ready.js";
import { poll } from "./poll.js";

const readyMs = 120_000;
const reachMs = 5_000;

/** Asks once, where a client would try again and again. Throws ConfigError naming the mend unless the cluster's own API server
 *  answers there. */
export async function requireApiServer(cluster: Cluster, endpoint: Endpoint): Promise<void> {
  const ca = readFileSync(join(pathsOf(cluster).pki, "ca.crt"), "utf8");
  await askEndpoint(endpoint, { path: "/livez", ca, timeoutMs: reachMs });
}

/** Starts what a joined machine runs. */
export async function startWorker(cluster: Cluster): Promise<void> {
  const { processes } = pathsOf(cluster);
  await startSupervisor({ args: [`--data-dir=${cluster.dataDir}`], tablePath: processes, logDir: cluster.logDir });
}

/** Waits until the kubelet has a certificate and its Node is Ready. Throws naming the logs, and the way back. */
export async function waitForWorker(cluster: Cluster): Promise<void> {
  const path = kubeletKubeconfig(cluster);
  const kubelet = componentSpec(cluster, "kubelet");
  let client: ReturnType<typeof createClient> | undefined;
  try {
    await poll(`node ${cluster.nodeName} was not Ready`, readyMs, async () => {
      if (!existsSync(path)) return "its kubelet has no client certificate yet";
      // Of a machine that was off for a moment the API still tells what was.
      const { ok, words } = await probeHealth(kubelet.healthUrl);
      if (!ok) return `its kubelet: ${words}`;
      client ??= createClient({ kubeconfig: loadKubeconfig(path), userAgent: "picokube" });
      return nodeIsReady(client, cluster.nodeName);
    });
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; see the logs in ${cluster.logDir} and kubectl get csr on the first machine; picokube leave --force cleans this one`,
      { cause: error },
    );
  } finally {
    await client?.close();
  }
}

/** `picokube up` on a joined machine: brings back what a reboot or `picokube down` ended. */
export async function upWorker(cluster: Cluster): Promise<void> {
  requireTools(cluster);
  await dockerAnswers();
  await startWorker(cluster);
  await waitForWorker(cluster);
  console.log(`The node ${pc.bold(cluster.nodeName)} of the cluster at ${cluster.joined?.server} is up.`);
}
