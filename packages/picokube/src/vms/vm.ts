// What a local VM is: a network namespace on a private bridge with an engine, a kubelet and a kube-proxy of its own. Holds
// names, addresses and paths, and the files that remember them; starts nothing.

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { nthIp } from "../cluster/cidr.js";
import { type Cluster, defaultPorts, pathsOf, writeFileWhole } from "../cluster/cluster.js";

/** The private link of a cluster's VMs: the host is its router. */
export interface VmNetwork {
  readonly bridge: string;
  /** The host's own address is the first of it, a VM's the one of its number. */
  readonly cidr: string;
}

export interface Vm {
  readonly name: string;
  /** From 2 on; the first node is the host. */
  readonly number: number;
  readonly address: string;
  /** Of the network namespace, below /run/netns. */
  readonly namespace: string;
  /** The host's end of the VM's cable. */
  readonly cable: string;
  /** Parent of everything that the VM's engine runs, from the cgroup mount's root. */
  readonly cgroup: string;
  readonly directory: string;
  /** Asked by its engine before the registry itself. */
  readonly registryMirrors: readonly string[];
}

/** Most VMs of a cluster: as many as the private link has addresses and the pod range has /24s. */
const maxNumber = 250;

/** Where everything of a VM lies. */
export function pathsOfVm({ directory, namespace }: Pick<Vm, "directory" | "namespace">) {
  const engine = join(directory, "engine");
  return {
    settings: join(directory, "vm.json"),
    namespace: `/run/netns/${namespace}`,
    engine,
    engineConfig: join(engine, "daemon.json"),
    socket: join(engine, "docker.sock"),
    pidFile: join(engine, "docker.pid"),
    dataRoot: join(engine, "data"),
    execRoot: join(engine, "exec"),
  };
}

/** The command words that run what follows inside the VM. Not `ip netns exec`, which hides the host's cgroup mounts. */
export function insideVm(vm: Pick<Vm, "directory" | "namespace">): readonly string[] {
  return ["nsenter", `--net=${pathsOfVm(vm).namespace}`];
}

/** The VM of that number; its names are made of the bridge's, so that clusters on one host keep apart. */
export function describeVm(
  { bridge, cidr }: VmNetwork,
  wanted: { name: string; number: number; directory: string; registryMirrors?: readonly string[] },
): Vm {
  const { name, number, directory, registryMirrors = [] } = wanted;
  return {
    name,
    number,
    directory,
    registryMirrors,
    address: nthIp(cidr, number, "the VMs' network"),
    namespace: `${bridge}-${number}`,
    cable: `${bridge}-${number}`,
    cgroup: `/picokube-${bridge}-${number}`,
  };
}

/** The VMs of a cluster by number; none when it has none. Throws ConfigError on a damaged file. */
export function readVms(cluster: Pick<Cluster, "dataDir">): Vm[] {
  const { vms } = pathsOf(cluster);
  if (!existsSync(vms)) return [];
  return readdirSync(vms, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(vms, entry.name, "vm.json")))
    .map(({ name }) => readSettings<Vm>(join(vms, name, "vm.json")))
    .sort((a, b) => a.number - b.number);
}

/** Throws ConfigError naming those that there are. */
export function requireVm(cluster: Pick<Cluster, "dataDir" | "nodeName">, name: string): Vm {
  const all = readVms(cluster);
  const vm = all.find((each) => each.name === name);
  if (vm) return vm;
  if (name === cluster.nodeName)
    throw new ConfigError(`${name} is this machine itself, not a local VM: picokube down, up and reset work on it`);
  const known = all.map((each) => each.name).join(", ");
  throw new ConfigError(
    `there is no local VM "${name}"; ${known ? `there are: ${known}` : "picokube node add makes one"}`,
  );
}

export function writeVm(vm: Vm): void {
  mkdirSync(vm.directory, { recursive: true });
  writeFileWhole(pathsOfVm(vm).settings, `${JSON.stringify(vm, null, 2)}\n`);
}

/** A new VM's settings: the next free number, the name "node-<number>" unless one is given. Throws ConfigError. */
export function planVm(
  cluster: Pick<Cluster, "dataDir" | "nodeName">,
  network: VmNetwork,
  { name, registryMirrors = [] }: { name?: string; registryMirrors?: readonly string[] } = {},
): Vm {
  const all = readVms(cluster);
  const taken = new Set(all.map(({ number }) => number));
  let number = 2;
  while (taken.has(number)) number++;
  if (number > maxNumber) throw new ConfigError(`a cluster has at most ${maxNumber - 1} local VMs`);
  const chosen = name ?? `node-${number}`;
  if (!/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(chosen))
    throw new ConfigError(`"${chosen}" cannot name a node: give a lowercase RFC 1123 label`);
  if (chosen === cluster.nodeName || all.some((vm) => vm.name === chosen))
    throw new ConfigError(`there is a node ${chosen} already`);
  return describeVm(network, {
    name: chosen,
    number,
    registryMirrors,
    directory: join(pathsOf(cluster).vms, chosen),
  });
}

/** The cluster as it is seen from the VM: where its kubelet and kube-proxy find their files, names and ports. */
export function clusterInVm(cluster: Cluster, vm: Vm): Cluster {
  return {
    ...cluster,
    dataDir: vm.directory,
    logDir: join(cluster.logDir, vm.name),
    nodeName: vm.name,
    nodeIp: vm.address,
    // Its network namespace has all ports free.
    ports: { ...defaultPorts, securePort: cluster.ports.securePort },
  };
}

export function readSettings<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    throw new ConfigError(`cannot read ${path}: ${(error as Error).message}; restore it, or remove the node`, {
      cause: error,
    });
  }
}
