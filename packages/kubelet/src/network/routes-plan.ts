// Which routes lead to the pods of other nodes: by way of the node itself where it is a neighbour on a link (host-gw), in a
// VXLAN tunnel where a router stands between (what flannel's backends do, chosen per peer). Pure: plans, touches nothing.

import { createHash } from "node:crypto";
import type { Node } from "@picokube/api/core/v1";
import { cidrSize, formatIpv4, macOf, parseCidr, parseIpv4 } from "./ipv4.js";

export const backends = ["auto", "host-gw", "vxlan"] as const;
export type PodNetworkBackend = (typeof backends)[number];

/** A line of the machine's own routing table, as `ip -json route show` tells it. */
export interface HostRoute {
  /** "default", an address or a CIDR. */
  readonly dst: string;
  readonly gateway?: string;
  readonly dev?: string;
}

/** Another node: where it is, and which addresses are its pods'. */
export interface Peer {
  readonly name: string;
  readonly address: string;
  readonly podCidr: string;
}

export interface PlannedRoute {
  readonly cidr: string;
  readonly via: string;
  readonly dev: string;
}

/** What a VXLAN device must know of a peer: no frame is ever flooded, nothing is learnt. */
export interface TunnelPeer {
  /** The peer's device: address, MAC, and the node that it is behind. */
  readonly overlay: string;
  readonly mac: string;
  readonly address: string;
}

export interface Tunnel {
  readonly device: string;
  readonly vni: number;
  /** This node's end. */
  readonly overlay: string;
  readonly mac: string;
  readonly local: string;
  /** Links that carry it: the smallest of their MTUs, less the tunnel's headers, is the device's. */
  readonly links: readonly string[];
  readonly peers: readonly TunnelPeer[];
}

export interface RoutesPlan {
  readonly routes: readonly PlannedRoute[];
  readonly tunnel: Tunnel | undefined;
  /** Peers that this backend cannot reach, with the reason. */
  readonly unreachable: readonly string[];
}

export interface RoutesQuestion {
  readonly self: Peer;
  readonly nodes: readonly Node[];
  readonly hostRoutes: readonly HostRoute[];
  readonly backend: PodNetworkBackend;
  readonly bridge: string;
  readonly clusterCidr: string;
}

/** Outer Ethernet, IPv4, UDP and VXLAN headers, in bytes. */
export const tunnelOverheadBytes = 50;

/** The tunnel's device of a bridge: within the kernel's 15 characters. */
export function tunnelDeviceOf(bridge: string): string {
  const name = `vx${bridge}`;
  return name.length <= 15 ? name : `vx${createHash("sha1").update(bridge).digest("hex").slice(0, 8)}`;
}

/** Equal on all nodes of a cluster, and not the same for two clusters whose pods have ranges of their own. */
export function vniOf(clusterCidr: string): number {
  return Math.floor(parseCidr(clusterCidr).base / 256);
}

/** The other nodes that have an address and pods, by name. Of two that claim one range the first is believed. */
export function peersOf(nodes: readonly Node[], self: Peer): Peer[] {
  const claimed = new Set([self.podCidr]);
  const peers: Peer[] = [];
  for (const node of [...nodes].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const { name } = node.metadata;
    const podCidr = node.spec?.podCIDR;
    const address = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    if (name === self.name || !podCidr || !address || address === self.address || claimed.has(podCidr)) continue;
    if (!isIpv4Cidr(podCidr) || !isIpv4(address)) continue;
    claimed.add(podCidr);
    peers.push({ name, address, podCidr });
  }
  return peers;
}

/** How packets to the address leave this machine: the longest prefix wins. Undefined without a route. */
export function nextHop(routes: readonly HostRoute[], address: string): HostRoute | undefined {
  const wanted = parseIpv4(address);
  let best: { route: HostRoute; prefix: number } | undefined;
  for (const route of routes) {
    const text = route.dst === "default" ? "0.0.0.0/0" : route.dst.includes("/") ? route.dst : `${route.dst}/32`;
    if (!route.dev || !isIpv4Cidr(text)) continue;
    const range = parseCidr(text);
    if (wanted < range.base || wanted >= range.base + cidrSize(range)) continue;
    if (!best || range.prefix > best.prefix) best = { route, prefix: range.prefix };
  }
  return best?.route;
}

/** Address and MAC of a node's tunnel device follow from its pod range, so that nothing need be announced. */
function tunnelEnd(podCidr: string): { overlay: string; mac: string } {
  const overlay = formatIpv4(parseCidr(podCidr).base);
  return { overlay, mac: macOf(overlay) };
}

/** The plan for this node. */
export function planRoutes({ self, nodes, hostRoutes, backend, bridge, clusterCidr }: RoutesQuestion): RoutesPlan {
  const device = tunnelDeviceOf(bridge);
  const underlay = hostRoutes.filter(({ dev }) => dev !== device && dev !== bridge);
  const routes: PlannedRoute[] = [];
  const tunnelPeers: TunnelPeer[] = [];
  const links = new Set<string>();
  const unreachable: string[] = [];
  for (const { name, address, podCidr } of peersOf(nodes, self)) {
    const hop = nextHop(underlay, address);
    const dev = hop?.dev;
    const isNeighbour = hop !== undefined && hop.gateway === undefined;
    if (dev === undefined) {
      unreachable.push(`no route to the address ${address} of node ${name}`);
    } else if (backend !== "vxlan" && isNeighbour) {
      routes.push({ cidr: podCidr, via: address, dev });
    } else if (backend === "host-gw") {
      unreachable.push(`node ${name} (${address}) is behind the router ${hop?.gateway}: host-gw needs a shared link`);
    } else {
      const end = tunnelEnd(podCidr);
      routes.push({ cidr: podCidr, via: end.overlay, dev: device });
      tunnelPeers.push({ ...end, address });
      links.add(dev);
    }
  }
  const tunnel = { device, vni: vniOf(clusterCidr), ...tunnelEnd(self.podCidr), local: self.address };
  return {
    routes,
    tunnel: tunnelPeers.length > 0 ? { ...tunnel, links: [...links], peers: tunnelPeers } : undefined,
    unreachable,
  };
}

function isIpv4(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(text);
}

function isIpv4Cidr(text: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text);
}
