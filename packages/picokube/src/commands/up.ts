// `picokube up`: from nothing, or from whatever a reboot or a kill left, to a running cluster. A recipe of steps.

import { Resolver } from "node:dns/promises";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { nodes } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { Listr } from "listr2";
import pc from "picocolors";
import { adjustCluster, requireUnchanged } from "../cluster/adjust-cluster.js";
import {
  type Cluster,
  pathsOf,
  readCluster,
  staticPodPathOf,
  writeCluster,
  writeFileWhole,
} from "../cluster/cluster.js";
import { componentSpecs, dnsVip } from "../cluster/components.js";
import { configFiles } from "../cluster/config-files.js";
import { enterCluster } from "../cluster/machine-clusters.js";
import { lockMachine } from "../cluster/machine-lock.js";
import { dockerAnswers, requireRoot, requireTools } from "../cluster/preflight.js";
import { probeHealth } from "../cluster/probe-health.js";
import { resolveCluster, type UpFlags } from "../cluster/resolve-cluster.js";
import { adminClient } from "../steps/admin-client.js";
import { makeCredentials } from "../steps/credentials.js";
import { ensureJoinable, joinLine } from "../steps/joining.js";
import { ensureKubeDns } from "../steps/kube-dns.js";
import { nodeIsReady } from "../steps/node-is-ready.js";
import { ensurePodNetworkRole } from "../steps/pod-network-role.js";
import { poll } from "../steps/poll.js";
import { ensureStorageClass } from "../steps/storage-class.js";
import { upWorker } from "../steps/worker.js";
import { isAlive } from "../supervisor/process-identity.js";
import { readProcessTable } from "../supervisor/process-table.js";
import { startSupervisor } from "../supervisor/start-supervisor.js";
import { readVms } from "../vms/vm.js";
import { bootVm } from "../vms/vm-lifecycle.js";
import { makeVm, waitUntilReady } from "./node.js";

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
  if (known?.joined) return upWorker(known);
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
  await bootVms(cluster, flags);
  printNextSteps(cluster);
  console.log(`\nOther machines join with:\n  ${await joinLine(adminClient(cluster), cluster)}`);
}

/** Makes as many local VMs as are missing and boots all that are off. */
async function bootVms(cluster: Cluster, { nodes, registryMirrors }: Pick<UpFlags, "nodes" | "registryMirrors">) {
  const onHost = cluster.controlPlaneOnly ? 0 : 1;
  while (nodes !== undefined && readVms(cluster).length + onHost < nodes)
    await makeVm(cluster, { registryMirrors: registryMirrors ?? [] });
  const vms = readVms(cluster);
  const client = adminClient(cluster);
  const steps = new Listr(
    vms.map((vm) => ({
      title: `Boot ${vm.name} (${vm.address})`,
      // One after the other: all of them look after the bridge that they share.
      task: () => bootVm(cluster, vm),
    })),
    listrOptions(),
  );
  steps.add({
    title: `Wait for ${vms.map(({ name }) => name).join(", ")} to be Ready`,
    enabled: () => vms.length > 0,
    task: async () => {
      await Promise.all(vms.map((vm) => waitUntilReady(client, cluster, vm)));
    },
  });
  await steps.run();
}

const listrOptions = () =>
  ({ renderer: process.stdout.isTTY ? "default" : "simple", rendererOptions: { timer: undefined } }) as const;

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
          if (withNode) mkdirSync(staticPodPathOf(cluster), { recursive: true });
          writeCluster(cluster);
          enterCluster(cluster.dataDir);
        },
      },
      {
        title: `Start ${componentSpecs(cluster)
          .map(({ name }) => name)
          .join(", ")}`,
        task: () => {
          const { processes } = pathsOf(cluster);
          return startSupervisor({
            args: [`--data-dir=${cluster.dataDir}`],
            tablePath: processes,
            logDir: cluster.logDir,
          });
        },
      },
      {
        title: "Wait for the API server",
        task: async () => {
          client = adminClient(cluster);
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
        title: "Let kubelets see one another's Nodes",
        task: () =>
          waitFor(cluster, "the pod network's role could not be made", () =>
            ensurePodNetworkRole(client).then(() => undefined),
          ),
      },
      {
        title: "Let other machines join",
        task: () =>
          waitFor(cluster, "what joining machines read could not be made", () =>
            ensureJoinable(client, cluster).then(() => undefined),
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
    listrOptions(),
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
