// UDP flows outlive their endpoints in the kernel's connection table: those that lead nowhere are deleted, so that the
// next packet is balanced anew. Mirrors upstream's pkg/proxy/conntrack CleanStaleEntries.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Logger } from "@picokube/component-base/logger";
import { type IpFamily, joinHostPort } from "./ip-family.js";
import type { ServicePort } from "./service-ports.js";

const run = promisify(execFile);

/** A flow of the table: where its packets were sent, and who answers. */
export interface Flow {
  readonly destination: string;
  readonly destinationPort: number;
  readonly answerer: string;
}

/** Reads what `conntrack -L` prints: a line a flow, its original direction first, the reply's after it. */
export function parseFlows(text: string): Flow[] {
  const pattern = /^udp\s.*?\bdst=(\S+) sport=\d+ dport=(\d+) .*?\bsrc=(\S+) /;
  return text.split("\n").flatMap((line) => {
    const match = pattern.exec(line);
    return match ? [{ destination: match[1]!, destinationPort: Number(match[2]), answerer: match[3]! }] : [];
  });
}

/** Arguments of one `conntrack -D` each: flows to a UDP service port that no serving endpoint of it answers. A port without
 *  endpoints keeps its flows, and so do those whose endpoint merely left a traffic policy, as TCP's would be kept. */
export function staleFlows(flows: readonly Flow[], ports: readonly ServicePort[]): string[][] {
  const byAddress = new Map<string, Set<string>>();
  const byNodePort = new Map<number, Set<string>>();
  for (const port of ports) {
    if (port.protocol !== "UDP") continue;
    const serving = new Set(port.endpoints.filter((endpoint) => endpoint.serving).map(({ ip }) => ip));
    if (serving.size === 0) continue;
    for (const address of [port.clusterIp, ...port.loadBalancerIps, ...port.externalIps])
      byAddress.set(joinHostPort(address, port.port), serving);
    if (port.nodePort > 0) byNodePort.set(port.nodePort, serving);
  }
  const stale = new Map<string, string[]>();
  const add = (...args: string[]) => stale.set(args.join(" "), ["-D", "-p", "udp", ...args]);
  for (const { destination, destinationPort, answerer } of flows) {
    const port = String(destinationPort);
    if (byAddress.get(joinHostPort(destination, destinationPort))?.has(answerer) === false)
      add("--orig-dst", destination, "--orig-port-dst", port, "--reply-src", answerer);
    if (byNodePort.get(destinationPort)?.has(answerer) === false) add("--orig-port-dst", port, "--reply-src", answerer);
  }
  return [...stale.values()];
}

/** Deletes the flows of a family that lead nowhere; resolves to how many there were. What cannot be done is logged, for
 *  rules matter more. */
export async function cleanStaleFlows(
  ports: readonly ServicePort[],
  { family, logger }: { family: IpFamily; logger: Logger },
): Promise<number> {
  const ofFamily = ["-f", family.toLowerCase()];
  let flows: Flow[];
  try {
    const { stdout } = await run("conntrack", ["-L", "-p", "udp", ...ofFamily], { maxBuffer: 1 << 28 });
    flows = parseFlows(stdout);
  } catch (error) {
    logger.error("Failed to list conntrack entries", { err: error });
    return 0;
  }
  let deleted = 0;
  for (const args of staleFlows(flows, ports)) {
    try {
      const { stderr } = await run("conntrack", [...args, ...ofFamily]);
      deleted += Number(/(\d+) flow entries have been deleted/.exec(stderr)?.[1] ?? 0);
    } catch (error) {
      const words = (error as { stderr?: string }).stderr ?? (error as Error).message;
      // Between the list and here the flow may have ended by itself.
      if (!/0 flow entries have been deleted/.test(words))
        logger.error("Failed to clear all conntrack entries", { args: args.join(" "), words: words.trim() });
    }
  }
  return deleted;
}
