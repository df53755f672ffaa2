// A cluster of local VMs (`picokube up --nodes`) with what stories need of it: kubectl, the CLI, and ways into each VM.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { eventually } from "@picokube/testing/eventually";
import { createCluster, runPicokube, type TestCluster } from "./cluster.js";
import { type Kubectl, kubectlFor } from "./kubectl.js";
import type { PodRow } from "./pod-rows.js";

const execute = promisify(execFile);

export interface LocalVms {
  readonly cluster: TestCluster;
  /** Of the namespace default. */
  readonly kubectl: Kubectl;
  picokube(...args: string[]): Promise<string>;
  /** Runs a command in the network namespace of node-2, node-3, ...; resolves with stdout. */
  inVm(node: string, ...command: string[]): Promise<string>;
  /** Asks the node's engine, this machine's for its own; resolves with stdout. */
  docker(node: string, ...command: string[]): Promise<string>;
  /** Where each node's engine listens, by the node's name. */
  engines(): Readonly<Record<string, string>>;
  /** Status of the node's condition Ready. */
  readyOf(node: string): Promise<string>;
  /** Every node's InternalIP. */
  addresses(): Promise<string[]>;
  /** Resets the cluster; the test does so at its end, if no story has. */
  dispose(): Promise<void>;
}

/** Upstream's timers, scaled: each still several times the one below it. */
export const shortTimers = [
  "--kube-controller-manager-arg=node-monitor-period=1s",
  "--kube-controller-manager-arg=node-monitor-grace-period=10s",
  "--kube-controller-manager-arg=node-eviction-rate=1",
  "--kubelet-arg=node-status-update-frequency=1s",
  "--kubelet-arg=node-lease-duration-seconds=4",
];

/** Brings a cluster up with these flags beside --nodes, and takes it away with the test. */
export async function createLocalVms(
  t: { teardown(fn: () => unknown): void },
  { nodes, flags }: { nodes: number; flags: readonly string[] },
): Promise<LocalVms> {
  const { cluster, dispose } = await createCluster([`--nodes=${nodes}`, ...flags]);
  t.teardown(dispose);
  const kubectl = kubectlFor(cluster, "default");
  const out = async (command: string, args: readonly string[]) =>
    (await execute(command, args, { maxBuffer: 1 << 26 })).stdout;
  const engines = () => ({
    [cluster.nodeName]: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock",
    ...Object.fromEntries(
      readdirSync(`${cluster.dataDir}/vms`, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => [name, `unix://${cluster.dataDir}/vms/${name}/engine/docker.sock`]),
    ),
  });
  return {
    cluster,
    kubectl,
    picokube: (...args) => runPicokube(args, { dataDir: cluster.dataDir }),
    inVm: (node, ...command) =>
      out("nsenter", [`--net=/run/netns/vm${cluster.podBridge}-${node.slice("node-".length)}`, ...command]),
    docker: (node, ...command) => out("docker", ["-H", (engines() as Record<string, string>)[node]!, ...command]),
    engines,
    async readyOf(node) {
      const { status } = await kubectl.json(["get", "node", node]);
      return status.conditions.find(({ type }: { type: string }) => type === "Ready").status;
    },
    async addresses() {
      const { items } = await kubectl.json(["get", "nodes"]);
      return items.map(
        ({ status }: { status: { addresses: { type: string; address: string }[] } }) =>
          status.addresses.find(({ type }) => type === "InternalIP")!.address,
      );
    },
    dispose,
  };
}

/** Waits until the VM's engine runs the pods that the API has on it and no others. */
export async function runsWhatTheApiSays(
  node: string,
  { kubectl, docker }: LocalVms,
  timeoutMs: number,
): Promise<void> {
  const check = async () => {
    const { items } = await kubectl.json(["get", "pods", "-A", `--field-selector=spec.nodeName=${node}`]);
    const wanted: string[] = items.map(({ metadata }: PodRow) => metadata.uid);
    const shown = await docker(node, "ps", "--format", '{{.Label "io.kubernetes.pod.uid"}}');
    const running = new Set(shown.split("\n").filter(Boolean));
    return running.size === wanted.length && wanted.every((uid) => running.has(uid));
  };
  await eventually(`${node} runs what the API says and nothing else`, check, timeoutMs);
}

/** What the cluster's VMs have on this machine: links, namespaces, rules, mounts, cgroups. */
export async function tracesOf({ podBridge, dataDir }: TestCluster): Promise<string[]> {
  const out = async (command: string, ...args: string[]) => (await execute(command, args)).stdout.split("\n");
  const cgroups = readdirSync("/sys/fs/cgroup").flatMap((name) => {
    try {
      return readdirSync(`/sys/fs/cgroup/${name}`).map((child) => `${name}/${child}`);
    } catch {
      return [];
    }
  });
  const all = [
    ...(await out("ip", "-brief", "link")),
    ...(await out("ip", "netns", "list")),
    ...(await out("iptables-save")),
    ...(await out("ebtables", "-L")),
    ...(await out("ip", "route")),
    ...cgroups,
    ...readFileSync("/proc/mounts", "utf8").split("\n"),
  ];
  return all.filter((line) => line.includes(podBridge) || line.includes(`${dataDir}/vms`));
}
