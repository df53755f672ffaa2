// The iptables rules of the pod network as input for iptables-restore: pod traffic is let through FORWARD, and
// masqueraded where it leaves the cluster. Pure; chains carry the bridge's name, so several clusters keep apart.

import { dnatRules, type HostPortMapping, masqueradeRules } from "./host-ports.js";

export interface NetworkRules {
  readonly bridge: string;
  /** This node's pods. */
  readonly podCidr: string;
  /** All nodes' pods: never masqueraded. */
  readonly clusterCidr: string;
  readonly hostPorts: readonly HostPortMapping[];
}

interface Chains {
  readonly forward: string;
  readonly postrouting: string;
  readonly hostPorts: string;
  /** Of the raw table: pods must not reach what listens on the host's loopback. */
  readonly loopback: string;
}

/** The chains of a bridge. At most 28 characters, as iptables demands, for a bridge's name has at most 15. */
export function chainsOf(bridge: string): Chains {
  return {
    forward: `PICO-FORWARD-${bridge}`,
    postrouting: `PICO-POSTRT-${bridge}`,
    hostPorts: `PICO-HPORTS-${bridge}`,
    loopback: `PICO-LOOPBK-${bridge}`,
  };
}

/** Declares and refills the chains; the jumps to them are jumpsOf. */
export function restoreInput({ bridge, podCidr, clusterCidr, hostPorts: mappings }: NetworkRules): string {
  const { forward, postrouting, hostPorts, loopback } = chainsOf(bridge);
  const comment = (words: string) => `-m comment --comment "${words}"`;
  return [
    "*filter",
    `:${forward} - [0:0]`,
    `-A ${forward} -i ${bridge} -s ${podCidr} ${comment("picokube: from pods of this node")} -j ACCEPT`,
    `-A ${forward} -o ${bridge} -d ${podCidr} ${comment("picokube: to pods of this node")} -j ACCEPT`,
    "COMMIT",
    "*nat",
    `:${postrouting} - [0:0]`,
    `:${hostPorts} - [0:0]`,
    ...dnatRules(hostPorts, mappings),
    ...masqueradeRules(postrouting, mappings),
    `-A ${postrouting} -d ${clusterCidr} ${comment("picokube: no NAT between pods")} -j RETURN`,
    `-A ${postrouting} -d 224.0.0.0/4 ${comment("picokube: no NAT for multicast")} -j RETURN`,
    `-A ${postrouting} -s ${podCidr} ! -o ${bridge} ${comment("picokube: pods to the outside")} -j MASQUERADE`,
    "COMMIT",
    "*raw",
    `:${loopback} - [0:0]`,
    `-A ${loopback} -i ${bridge} -d 127.0.0.0/8 ${comment("picokube: route_localnet is for the host alone")} -j DROP`,
    "COMMIT",
    "",
  ].join("\n");
}

/** A rule of a built-in chain that leads into one of ours. */
export interface Jump {
  readonly table: string;
  readonly chain: string;
  readonly match: readonly string[];
  readonly target: string;
}

const toHost = ["-m", "addrtype", "--dst-type", "LOCAL"];

/** The rules in built-in chains: appended, so that kube-proxy's, which stand at the top, are asked first. */
export function jumpsOf(bridge: string): Jump[] {
  const { forward, postrouting, hostPorts, loopback } = chainsOf(bridge);
  return [
    { table: "filter", chain: "FORWARD", match: [], target: forward },
    { table: "nat", chain: "POSTROUTING", match: [], target: postrouting },
    { table: "nat", chain: "PREROUTING", match: toHost, target: hostPorts },
    { table: "nat", chain: "OUTPUT", match: toHost, target: hostPorts },
    { table: "raw", chain: "PREROUTING", match: [], target: loopback },
  ];
}
