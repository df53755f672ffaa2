// From flags to a Cluster: fills what the user left open from the machine, so that a second cluster finds its own ports
// and ranges beside the first, whether that is up or down. Runs at the first `up` only; later the written settings stand.

import { createServer } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { basename, join, resolve } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { overlaps, overlapsAny, parseCidr } from "./cidr.js";
import { type Cluster, type ComponentName, defaultDataDir, defaultPorts, type Ports } from "./cluster.js";
import { defaultRouteAddress, routes } from "./host.js";
import { otherClusters } from "./machine-clusters.js";
import { shortTag, stepsOf } from "./step-order.js";

/** How many ports are tried for a listener, a hundred apart. */
const PORT_STEPS = 20;
/** How many ranges are tried for pods and Services. */
const RANGE_STEPS = 12;

export interface UpFlags {
  readonly dataDir: string;
  readonly securePort?: number;
  readonly serviceCidr?: string;
  readonly podCidr?: string;
  readonly clusterDomain?: string;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly controlPlaneOnly: boolean;
  /** How many nodes there shall be at least, this machine among them: the others are local VMs. */
  readonly nodes?: number;
  /** For the engines of local VMs made now. */
  readonly registryMirrors?: readonly string[];
  readonly componentArgs: Readonly<Partial<Record<ComponentName, readonly string[]>>>;
}

/** Throws ConfigError on a bad flag or when the machine has no address to serve on. others: the machine's other clusters. */
export async function resolveCluster(
  flags: UpFlags,
  others: readonly Cluster[] = otherClusters(resolve(flags.dataDir)),
): Promise<Cluster> {
  const dataDir = resolve(flags.dataDir);
  const isDefault = dataDir === defaultDataDir;
  const nodeName = (flags.nodeName ?? hostname()).toLowerCase();
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(nodeName))
    throw new ConfigError(`the host name "${nodeName}" cannot name a Node: give --node-name a lowercase RFC 1123 name`);
  const name = isDefault
    ? "picokube"
    : `picokube-${basename(dataDir)
        .toLowerCase()
        .replace(/[^a-z0-9-]+/g, "-")}`;
  const ranges = await pickRanges(flags, others);
  const tag = isDefault ? "" : shortTag(dataDir);
  return {
    name,
    dataDir,
    logDir: isDefault ? "/var/log/picokube" : join(dataDir, "log"),
    adminKubeconfig: isDefault ? "/etc/picokube/admin.kubeconfig" : join(dataDir, "admin.kubeconfig"),
    nodeName,
    nodeIp: flags.nodeIp ?? (await machineAddress()),
    ...ranges,
    clusterDomain: flags.clusterDomain ?? "cluster.local",
    controlPlaneOnly: flags.controlPlaneOnly,
    ports: await pickPorts(flags, others),
    podBridge: `pico0${tag}`,
    chainPrefix: isDefault ? "KUBE" : `K${tag.toUpperCase()}`,
    componentArgs: flags.componentArgs,
  };
}

/** The address that the machine is reached at: that of the default route, else any that is not loopback. */
export async function machineAddress(): Promise<string> {
  const routed = await defaultRouteAddress();
  if (routed) return routed;
  for (const addresses of Object.values(networkInterfaces()))
    for (const { family, internal, address } of addresses ?? []) if (family === "IPv4" && !internal) return address;
  throw new ConfigError("this machine has no IPv4 address besides loopback: give one with --node-ip");
}

async function pickRanges(
  flags: UpFlags,
  others: readonly Cluster[],
): Promise<{ serviceCidr: string; podCidr: string }> {
  const given = { serviceCidr: flags.serviceCidr, podCidr: flags.podCidr };
  for (const [flag, cidr] of [
    ["--service-cidr", given.serviceCidr],
    ["--pod-cidr", given.podCidr],
  ] as const)
    if (cidr !== undefined) parseCidr(cidr, flag);
  const rangesAt = (step: number) => ({
    podCidr: given.podCidr ?? `10.${244 + step}.0.0/16`,
    serviceCidr: given.serviceCidr ?? `10.${96 + step}.0.0/16`,
  });
  const meets = (taken: readonly string[]) => (step: number) =>
    Object.values(rangesAt(step)).some((cidr) => overlapsAny(cidr, taken));
  const isAnothers = meets(others.flatMap(({ podCidr, serviceCidr }) => [podCidr, serviceCidr]));
  const isRouted = meets(await routes());
  for (const step of stepsOf(resolve(flags.dataDir), RANGE_STEPS, isAnothers)) {
    if (isRouted(step) && !(given.podCidr && given.serviceCidr)) continue;
    const { podCidr, serviceCidr } = rangesAt(step);
    if (overlaps(parseCidr(podCidr, "--pod-cidr"), parseCidr(serviceCidr, "--service-cidr")))
      throw new ConfigError(`--pod-cidr ${podCidr} and --service-cidr ${serviceCidr} overlap: give ranges apart`);
    return { podCidr, serviceCidr };
  }
  throw new ConfigError("no free address ranges were found: give --pod-cidr and --service-cidr");
}

async function pickPorts({ dataDir, securePort }: UpFlags, others: readonly Cluster[]): Promise<Ports> {
  const theirs = new Set(others.flatMap(({ ports }) => Object.values(ports)));
  const taken = new Set<number>();
  const free = async (wanted: number) => {
    const portAt = (step: number) => wanted + step * 100;
    for (const step of stepsOf(resolve(dataDir), PORT_STEPS, (each) => theirs.has(portAt(each)))) {
      const port = portAt(step);
      if (taken.has(port) || !(await isFree(port))) continue;
      taken.add(port);
      return port;
    }
    throw new ConfigError(`ports ${wanted}, ${wanted + 100}, ... are all in use: stop what listens there`);
  };
  if (securePort !== undefined && !(await isFree(securePort)))
    throw new ConfigError(`--secure-port ${securePort} is in use: choose another, or stop what listens there`);
  const ports: Record<string, number> = {};
  for (const [name, wanted] of Object.entries(defaultPorts))
    ports[name] = name === "securePort" && securePort !== undefined ? securePort : await free(wanted);
  return ports as unknown as Ports;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen({ port, host: "0.0.0.0" }, () => server.close(() => done(true)));
  });
}
