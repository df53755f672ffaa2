// Which node tells the network that a pool's address is with it: one of those that can balance, the same for as long as it
// can, and no one node for all (as MetalLB chooses in layer 2). Pure; that node's kubelet does what the annotation says.

import { createHash } from "node:crypto";
import type { Node, Service } from "@picokube/api/core/v1";
import { canBalance, hasReadyEndpoint, type Surroundings } from "./service-lb-plan.js";

/** The node's name, on the Service; kubelets read it (kubelet/src/network/announced-addresses.ts). */
export const announcerAnnotation = "load-balancer.picokube.io/announced-by";

/** Undefined: no address to announce, or nobody to do it; the nodes' own addresses need nobody. */
export function announcerOf(
  service: Service,
  ips: readonly string[],
  { nodes, slices, pool }: Pick<Surroundings, "nodes" | "slices" | "pool">,
): string | undefined {
  const [ip] = ips;
  if (!pool || ip === undefined) return undefined;
  const isLocal = service.spec?.externalTrafficPolicy === "Local";
  const able = nodes.filter((node) => canBalance(node) && (!isLocal || hasReadyEndpoint(node, slices)));
  // Each node has a number for each address and the lowest wins: a node that comes or goes moves only its own addresses.
  const [first] = able.map((node) => ({ node, rank: rankOf(node, ip) })).sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return first?.node.metadata.name;
}

function rankOf({ metadata }: Node, ip: string): string {
  return createHash("sha256").update(`${metadata.name}#${ip}`).digest("hex");
}
