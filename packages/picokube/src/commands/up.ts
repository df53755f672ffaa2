// `picokube up`: from nothing, or from whatever a reboot or a kill left, to a running cluster. A recipe of steps.

import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { nodes } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import { Listr } from "listr2";
import pc from "picocolors";
import { adjustCluster, requireUnchanged } from "../cluster/adjust-cluster.js";
import { type Cluster, pathsOf, readCluster, writeCluster, writeFileWhole } from "../cluster/cluster.js";
import { componentSpecs, dnsVip } from "../cluster/components.js";
import { configFiles } from "../cluster/config-files.js";
import { lockMachine } from "../cluster/machine-lock.js";
import { dockerAnswers, requireRoot, requireTools } from "../cluster/preflight.js";
import { probeHealth } from "../cluster/probe-health.js";
import { resolveCluster, type UpFlags } from "../cluster/resolve-cluster.js";
import { makeCredentials } from "../steps/credentials.js";
import { ensureKubeDns } from "../steps/kube-dns.js";
import { poll } from "../steps/poll.js";
import { ensureStorageClass } from "../steps/storage-class.js";
import { identify, isAlive } from "../supervisor/process-identity.js";
import { readProcessTable } from "../supervisor/process-table.js";

const waitMs = 120_000;

/** Resolves when the node is Ready and DNS answers. Throws an Error that names the step, the reason and where to look. */
export async function up(flags: UpFlags): Promise<void> {
  requireRoot();
  const unlock = await lockMachine();
  try {
    await upAlone(flags);
  } finally {
    unlock();
  }
}

async function upAlone(flags: UpFlags): Promise<void> {
  const startedAt = Date.now();
  const known = readCluster(flags.dataDir);
  const cluster = known ? await adjustCluster(known, flags) : await resolveCluster(flags);
  if (known && (await isRunning(known))) {
    requireUnchanged(known, cluster);
    console.log(`The cluster ${pc.bold(cluster.name)} is already running.`);
  } else {
    await bringUp(cluster);
    console.log(
      `\nThe cluster ${pc.bold(cluster.name)} is up after ${((Date.now() - startedAt) / 1000).toFixed(1)} s.`,
    );
  }
  printNextSteps(cluster);
}

async function bringUp(cluster: Cluster): Promise<void> {
  let client: Client;
  const withNode = !cluster.controlPlaneOnly;
  const steps = new Listr(
    [
      {
        title: "Check the machine",
        task: async () => {
          requireTools(cluster);
          if (withNode) await dockerAnswers();
        },
      },
      { title: "Make certificates and kubeconfigs", task: () => makeCredentials(cluster) },
      {
        title: "Write settings and configuration files",
        task: () => {
          for (const [name, text] of Object.entries(configFiles(cluster)))
            writeFileWhole(join(pathsOf(cluster).config, name), text);
          writeCluster(cluster);
        },
      },
      {
        title: `Start ${componentSpecs(cluster)
          .map(({ name }) => name)
          .join(", ")}`,
        task: () => startSupervisor(cluster),
      },
      {
        title: "Wait for the API server",
        task: async () => {
          client = createClient({ kubeconfig: loadKubeconfig(cluster.adminKubeconfig), userAgent: "picokube" });
          await waitFor(cluster, "the API server was not ready", async () => {
            const { ok, words } = await probeHealth(`https://127.0.0.1:${cluster.ports.securePort}/readyz`);
            return ok ? undefined : words;
          });
        },
      },
      {
        title: "Make the default StorageClass",
        task: () =>
          waitFor(cluster, "the StorageClass could not be made", () =>
            ensureStorageClass(client).then(() => undefined),
          ),
      },
      {
        title: "Wait for the node to be Ready",
        enabled: () => withNode,
        task: async () => {
          await waitFor(cluster, "kube-dns could not be made", () =>
            ensureKubeDns(client, cluster).then(() => undefined),
          );
          await waitFor(cluster, `node ${cluster.nodeName} was not Ready`, () => nodeIsReady(client, cluster.nodeName));
          await markControlPlane(client, cluster.nodeName);
        },
      },
      {
        title: "Wait for cluster DNS to answer",
        enabled: () => withNode,
        task: () =>
          waitFor(cluster, `DNS did not answer at ${dnsVip(cluster)}`, async () => {
            const resolver = new Resolver({ timeout: 500, tries: 1 });
            resolver.setServers([dnsVip(cluster)]);
            const [address] = await resolver.resolve4(`kubernetes.default.svc.${cluster.clusterDomain}`);
            return address ? undefined : "an empty answer";
          }),
      },
    ],
    { renderer: process.stdout.isTTY ? "default" : "simple", rendererOptions: { timer: undefined } },
  );
  await steps.run();
}

/** True when the supervisor and each of its processes live and the API server answers. */
async function isRunning(cluster: Cluster): Promise<boolean> {
  const table = readProcessTable(pathsOf(cluster).processes);
  if (!isAlive(table.supervisor)) return false;
  if (!componentSpecs(cluster).every(({ name }) => isAlive(table.components[name]?.process))) return false;
  return (await probeHealth(`https://127.0.0.1:${cluster.ports.securePort}/readyz`)).ok;
}

async function startSupervisor(cluster: Cluster): Promise<void> {
  const { processes, run } = pathsOf(cluster);
  if (isAlive(readProcessTable(processes).supervisor)) return;
  mkdirSync(run, { recursive: true });
  mkdirSync(cluster.logDir, { recursive: true });
  const logFile = join(cluster.logDir, "picokube.log");
  const log = openSync(logFile, "a", 0o640);
  const child = spawn(process.execPath, [process.argv[1]!, "supervise", `--data-dir=${cluster.dataDir}`], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  await poll("the supervisor did not start", 10_000, async () => {
    if (child.pid === undefined || !identify(child.pid)) throw new Error(`it ended at once: see ${logFile}`);
    return readProcessTable(processes).supervisor?.pid === child.pid ? undefined : "it has not written its table yet";
  });
}

async function nodeIsReady(client: Client, name: string): Promise<string | undefined> {
  const node = await client.get(nodes, { name });
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True" ? undefined : (ready?.message ?? "it has no Ready condition yet");
}

// A kubelet may not give itself a role (NodeRestriction), so the administrator does, as kubeadm's mark-control-plane phase.
async function markControlPlane(client: Client, name: string): Promise<void> {
  const labels = { "node-role.kubernetes.io/control-plane": "" };
  await client.patch(nodes, { name }, { metadata: { labels } }, { type: "merge", fieldManager: "picokube" });
}

// Waits, and when it was in vain names the component that looks worst and its log.
async function waitFor(cluster: Cluster, what: string, ready: () => Promise<string | undefined>): Promise<void> {
  try {
    await poll(what, waitMs, ready);
  } catch (error) {
    const { components } = readProcessTable(pathsOf(cluster).processes);
    const dead = componentSpecs(cluster).find(({ name }) => !isAlive(components[name]?.process));
    const where = dead
      ? `${dead.name} keeps ending (${components[dead.name]?.lastExit ?? "it never ran"}): see ${dead.logFile}`
      : `see the logs in ${cluster.logDir}, or picokube status`;
    throw new Error(`${(error as Error).message}; ${where}`, { cause: error });
  }
}

function printNextSteps(cluster: Cluster): void {
  const flag = cluster.name === "picokube" ? "" : ` --context ${cluster.name}`;
  console.log(`\nkubeconfig: ${pc.bold(cluster.adminKubeconfig)} (also context "${cluster.name}" of ~/.kube/config)\n`);
  console.log("Try:");
  console.log(`  kubectl${flag} get nodes -o wide`);
  console.log(`  kubectl${flag} create deployment web --image=nginx --replicas=3`);
  console.log(`  kubectl${flag} expose deployment web --port=80 --type=NodePort`);
}
