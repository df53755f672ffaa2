// UDP flows outlive their endpoints in the kernel's connection table: those that lead nowhere are deleted, so that the
// next packet is balanced anew. Mirrors upstream's pkg/proxy/conntrack/cleanup.go.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "@picokube/component-base/logger";
import type { ServicePort } from "./service-ports.js";

const run = promisify(execFile);

/** Arguments of one conntrack -D each. */
export function staleFlows(before: readonly ServicePort[], after: readonly ServicePort[]): string[][] {
  const stale: string[][] = [];
  const now = new Map(after.map((port) => [port.name + port.protocol, port]));
  const earlier = new Map(before.map((port) => [port.name + port.protocol, port]));
  for (const old of before) {
    if (old.protocol !== "UDP") continue;
    const current = now.get(old.name + old.protocol);
    const left = new Set(current?.clusterEndpoints.map(({ ip, port }) => `${ip}:${port}`));
    for (const { ip, port } of old.clusterEndpoints) {
      if (left.has(`${ip}:${port}`)) continue;
      for (const address of addressesOf(old)) stale.push(["-D", "-p", "udp", "--orig-dst", address, "--dst-nat", ip]);
      if (old.nodePort > 0) stale.push(["-D", "-p", "udp", "--orig-port-dst", String(old.nodePort), "--dst-nat", ip]);
    }
  }
  // Packets sent while a Service had no endpoints left flows to nowhere.
  for (const port of after) {
    if (port.protocol !== "UDP" || port.clusterEndpoints.length === 0) continue;
    if ((earlier.get(port.name + port.protocol)?.clusterEndpoints.length ?? 0) > 0) continue;
    for (const address of addressesOf(port))
      stale.push(["-D", "-p", "udp", "--orig-dst", address, "--orig-port-dst", String(port.port)]);
    if (port.nodePort > 0) stale.push(["-D", "-p", "udp", "--orig-port-dst", String(port.nodePort)]);
  }
  return stale;
}

function addressesOf(port: ServicePort): string[] {
  return [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps];
}

/** Deletes the flows; that there were none is no fault. */
export async function deleteFlows(flows: readonly string[][], logger: Logger): Promise<void> {
  for (const args of flows) {
    try {
      await run("conntrack", args);
    } catch (error) {
      const words = (error as { stderr?: string }).stderr ?? (error as Error).message;
      if (!/0 flow entries have been deleted/.test(words))
        logger.warn("Failed to delete stale conntrack entries", { args, words: words.trim() });
    }
  }
}
