// The built-in pod network: a bridge with the gateway's address, a veth pair a sandbox, addresses from the node's
// CIDR. Owns the bridge, its iptables chains and the leases; knows nothing of pods beyond an owner's name.

import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@picokube/component-base/logger";
import { forgetAddresses } from "./announced-addresses.js";
import { createHostPorts, type HostPort } from "./host-ports.js";
import { createIpam, type Ipam } from "./ipam.js";
import { firstAddress, macOf, parseCidr } from "./ipv4.js";
import { jumpsOf, type NetworkRules, restoreInput } from "./network-rules.js";
import { forgetRoutes } from "./pod-routes.js";
import { runCommand } from "./run-command.js";

export interface PodNetworkOptions {
  readonly bridge: string;
  readonly clusterCidr: string;
  /** Leases live in a folder of it. */
  readonly directory: string;
  /** How many bytes the pods' packets must leave for a tunnel's headers at this moment. */
  readonly overheadBytes?: () => number;
  readonly logger: Logger;
}

/** An owner is one sandbox: "<pod uid>/<attempt>". */
export interface PodNetwork {
  /** Brings up bridge, sysctls and rules for this CIDR; idempotent, and repeated now and then to repair. */
  configure(podCidr: string): Promise<void>;
  /** Resolves at the first configure. */
  ready(signal: AbortSignal): Promise<void>;
  /** Reserves the owner's address ahead of its sandbox. Throws before configure. */
  reserve(owner: string): string;
  /** The owner's address while its wire is in place. */
  addressOf(owner: string): string | undefined;
  /** Wires the network namespace of the process; the address must have been reserved. */
  attach(owner: string, pid: number): Promise<void>;
  /** Leads these ports of the host to the owner's address. */
  publish(owner: string, ports: readonly HostPort[]): Promise<void>;
  /** Removes the wire and frees the address; idempotent. */
  detach(owner: string): Promise<void>;
  /** Owners of addresses, for the collection of leaked ones. */
  owners(): string[];
  /** Why pods cannot be networked; empty when they can. */
  problems(): string[];
}

const hashOf = (owner: string) => createHash("sha1").update(owner).digest("hex").slice(0, 8);
const vethOf = (owner: string) => `veth${hashOf(owner)}`;
/** The wire's name until it is in place as a whole: a kubelet may be killed between two commands. */
const unfinishedVethOf = (owner: string) => `vnew${hashOf(owner)}`;

const ipBatch = (lines: readonly string[], inside?: number): Promise<string> => {
  const input = `${lines.join("\n")}\n`;
  return inside === undefined
    ? runCommand({ program: "ip", args: ["-batch", "-"], input })
    : runCommand({ program: "nsenter", args: [`--net=/proc/${inside}/ns/net`, "ip", "-batch", "-"], input });
};

/** Makes the pod network; nothing on the host changes before configure. */
export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const { bridge, clusterCidr, directory, overheadBytes = () => 0, logger } = options;
  let current: { cidr: string; gateway: string; prefix: number; mtu: number; ipam: Ipam } | undefined;
  let failure: string | undefined;
  let announce: () => void = () => {};
  const configured = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const hostPorts = createHostPorts(hostPortsFile(directory, bridge));
  let writing: Promise<unknown> = Promise.resolve();

  /** One after the other: each writes what is wanted when its turn comes. */
  function writeRules(podCidr: string): Promise<void> {
    const written = writing.then(() => ensureRules({ bridge, podCidr, clusterCidr, hostPorts: hostPorts.mappings() }));
    writing = written.catch(() => undefined);
    return written;
  }

  function network() {
    if (!current) throw new Error("network is not ready: the node has no pod CIDR yet");
    return current;
  }

  async function configure(podCidr: string): Promise<void> {
    try {
      const range = parseCidr(podCidr);
      const gateway = firstAddress(range);
      const mtu = await uplinkMtu();
      await ensureBridge({ bridge, address: `${gateway}/${range.prefix}`, mac: macOf(gateway), mtu });
      setSysctls(bridge, logger);
      await writeRules(podCidr);
      if (current?.cidr !== podCidr) {
        const ipam = createIpam({ cidr: podCidr, directory: join(directory, bridge) });
        current = { cidr: podCidr, gateway, prefix: range.prefix, mtu, ipam };
        logger.info("Pod network is up", { bridge, podCIDR: podCidr, mtu });
      }
      failure = undefined;
      announce();
    } catch (error) {
      failure = (error as Error).message;
      throw error;
    }
  }

  return {
    configure,
    ready: (signal) =>
      Promise.race([
        configured,
        new Promise<never>((_, reject) => {
          if (signal.aborted) reject(signal.reason as Error);
          signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
        }),
      ]),
    reserve: (owner) => network().ipam.allocate(owner),
    addressOf: (owner) => (linkExists(vethOf(owner)) ? current?.ipam.addressOf(owner) : undefined),

    async attach(owner, pid) {
      const { gateway, prefix, mtu: linkMtu, ipam } = network();
      const mtu = linkMtu - overheadBytes();
      const address = ipam.allocate(owner);
      const [veth, unfinished] = [vethOf(owner), unfinishedVethOf(owner)];
      // The wire of a sandbox that somebody removed, whose namespace the kernel has not taken down yet.
      for (const link of [veth, unfinished]) if (linkExists(link)) await deleteLink(link);
      await ipBatch(
        [
          "link set lo up",
          `link add eth0 address ${macOf(address)} mtu ${mtu} type veth peer name ${unfinished} mtu ${mtu} netns ${process.pid}`,
          `addr add ${address}/${prefix} dev eth0`,
          "link set eth0 up",
          `route add default via ${gateway}`,
        ],
        pid,
      );
      await ipBatch([
        `link set ${unfinished} master ${bridge}`,
        `link set ${unfinished} type bridge_slave hairpin on`,
        `link set ${unfinished} name ${veth}`,
        `link set ${veth} up`,
      ]);
    },

    async publish(owner, ports) {
      const { cidr, ipam } = network();
      hostPorts.set(owner, { podIp: ipam.allocate(owner), ports });
      await writeRules(cidr);
    },

    async detach(owner) {
      await deleteLink(vethOf(owner));
      if (linkExists(unfinishedVethOf(owner))) await deleteLink(unfinishedVethOf(owner));
      if (hostPorts.delete(owner) && current) await writeRules(current.cidr);
      current?.ipam.release(owner);
    },
    owners: () => current?.ipam.owners() ?? [],
    problems: () => {
      if (failure !== undefined) return [`pod network: ${failure}`];
      return current ? [] : ["pod network: waiting for the node's pod CIDR"];
    },
  };
}

interface Bridge {
  readonly bridge: string;
  readonly address: string;
  readonly mac: string;
  readonly mtu: number;
}

interface LinkInfo {
  readonly operstate?: string;
  readonly flags?: string[];
  readonly addr_info?: { family: string; local: string; prefixlen: number }[];
}

async function ensureBridge({ bridge, address, mac, mtu }: Bridge): Promise<void> {
  const shown = await runCommand({ program: "ip", args: ["-j", "addr", "show", "dev", bridge] }).catch(() => undefined);
  const [link] = shown ? (JSON.parse(shown) as LinkInfo[]) : [];
  const held = (link?.addr_info ?? [])
    .filter(({ family }) => family === "inet")
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  await ipBatch([
    ...(link ? [] : [`link add ${bridge} address ${mac} mtu ${mtu} type bridge forward_delay 0`]),
    ...held.filter((old) => old !== address).map((old) => `addr del ${old} dev ${bridge}`),
    ...(held.includes(address) ? [] : [`addr add ${address} dev ${bridge}`]),
    `link set ${bridge} up`,
  ]);
}

// Not /sys/class/net: that shows the namespace in which sysfs was mounted, not this process's.
function linkExists(name: string): boolean {
  return new RegExp(`^ *${name}:`, "m").test(readFileSync("/proc/net/dev", "utf8"));
}

async function deleteLink(name: string): Promise<void> {
  await ipBatch([`link del ${name}`]).catch((error: Error) => {
    // Gone with the sandbox's namespace: what was asked for.
    if (!/Cannot find device/.test(error.message)) throw error;
  });
}

async function uplinkMtu(): Promise<number> {
  const shown = await runCommand({ program: "ip", args: ["-j", "route", "show", "default"] }).catch(() => "[]");
  const [route] = JSON.parse(shown || "[]") as { dev?: string }[];
  if (!route?.dev) return 1500;
  const [link] = JSON.parse(await runCommand({ program: "ip", args: ["-j", "link", "show", "dev", route.dev] })) as {
    mtu: number;
  }[];
  return link?.mtu ?? 1500;
}

function setSysctls(bridge: string, logger: Logger): void {
  // Bridged pod to pod traffic through a cluster IP must pass iptables, or its answers come back untranslated.
  for (const [path, need] of [
    ["/proc/sys/net/ipv4/ip_forward", "pods reach nothing beyond this node"],
    ["/proc/sys/net/bridge/bridge-nf-call-iptables", "cluster IPs fail between pods of one node"],
    [`/proc/sys/net/ipv4/conf/${bridge}/route_localnet`, "127.0.0.1 does not lead to host ports"],
  ] as const) {
    try {
      if (readFileSync(path, "utf8").trim() !== "1") writeFileSync(path, "1");
    } catch (error) {
      logger.warn("Cannot set a sysctl of the pod network", { path, without: need, err: error });
    }
  }
}

async function ensureRules(rules: NetworkRules): Promise<void> {
  await runCommand({ program: "iptables-restore", args: ["--noflush", "-w", "5"], input: restoreInput(rules) });
  for (const { table, chain, match, target } of jumpsOf(rules.bridge)) {
    const rule = [chain, ...match, "-j", target];
    await runCommand({ program: "iptables", args: ["-w", "5", "-t", table, "-C", ...rule] }).catch(() =>
      runCommand({ program: "iptables", args: ["-w", "5", "-t", table, "-A", ...rule] }),
    );
  }
}

const hostPortsFile = (directory: string, bridge: string) => join(directory, `${bridge}.host-ports.json`);

/** Removes bridge, chains, leases, routes and load balancers' addresses; what is not there is no fault. */
export async function cleanupPodNetwork({ bridge, directory }: { bridge: string; directory: string }): Promise<void> {
  await forgetRoutes({ bridge, directory });
  await forgetAddresses(bridge);
  const iptables = (args: string[]) =>
    runCommand({ program: "iptables", args: ["-w", "5", ...args] }).catch(() => undefined);
  const jumps = jumpsOf(bridge);
  for (const { table, chain, match, target } of jumps) {
    await iptables(["-t", table, "-D", chain, ...match, "-j", target]);
  }
  for (const { table, target } of jumps) {
    await iptables(["-t", table, "-F", target]);
    await iptables(["-t", table, "-X", target]);
  }
  await runCommand({ program: "ip", args: ["link", "del", bridge] }).catch(() => undefined);
  rmSync(join(directory, bridge), { recursive: true, force: true });
  rmSync(hostPortsFile(directory, bridge), { force: true });
}
