// What the node's kernel is told before any rule is written: the connection table's size and timeouts, and whether
// 127.0.0.1 is routed. Mirrors upstream's setupConntrack and EnsureSysctl.

import { readFile, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { parseDuration } from "@picokube/component-base/duration";
import type { Logger } from "@picokube/component-base/logger";
import type { KubeProxyConfiguration } from "./configuration.js";

const routeLocalnet = "net/ipv4/conf/all/route_localnet";
const beLiberal = "net/netfilter/nf_conntrack_tcp_be_liberal";

/** Name → number of each sysctl that the configuration asks for; what is zero is left as it is. Pure. */
export function wantedSettings(
  { conntrack }: Pick<KubeProxyConfiguration, "conntrack">,
  { cores, localhostNodePorts }: { cores: number; localhostNodePorts: boolean },
): Record<string, number> {
  const wanted: Record<string, number> = {};
  const netfilter = (name: string, value: number) => {
    if (value > 0) wanted[`net/netfilter/nf_conntrack_${name}`] = value;
  };
  const seconds = (duration: string) => Math.trunc(parseDuration(duration) / 1000);
  if (conntrack.maxPerCore > 0) netfilter("max", Math.max(conntrack.maxPerCore * cores, conntrack.min));
  netfilter("tcp_timeout_established", seconds(conntrack.tcpEstablishedTimeout));
  netfilter("tcp_timeout_close_wait", seconds(conntrack.tcpCloseWaitTimeout));
  if (conntrack.tcpBeLiberal) wanted[beLiberal] = 1;
  netfilter("udp_timeout", seconds(conntrack.udpTimeout));
  netfilter("udp_timeout_stream", seconds(conntrack.udpStreamTimeout));
  if (localhostNodePorts) wanted[routeLocalnet] = 1;
  return wanted;
}

/** Sets what differs. What a namespace of its own may not set is said and left: rules work without. */
export async function applySettings(
  configuration: KubeProxyConfiguration,
  { localhostNodePorts, logger }: { localhostNodePorts: boolean; logger: Logger },
): Promise<void> {
  const wanted = wantedSettings(configuration, { cores: cpus().length, localhostNodePorts });
  for (const [entry, value] of Object.entries(wanted)) {
    try {
      if ((await read(entry)) === value) continue;
      logger.info("Set sysctl", { entry, value });
      await writeFile(`/proc/sys/${entry}`, String(value));
    } catch (error) {
      logger.warn("Failed to set sysctl", { entry, value, err: error });
    }
  }
  await writeFile("/proc/self/oom_score_adj", String(configuration.oomScoreAdj)).catch((error: unknown) =>
    logger.v(2).info("Failed to apply OOMScore", { oomScoreAdj: configuration.oomScoreAdj, err: error }),
  );
}

/** Whether the kernel takes TCP packets out of the window for valid ones. */
export async function isConntrackLiberal(): Promise<boolean> {
  return (await read(beLiberal).catch(() => 0)) !== 0;
}

async function read(entry: string): Promise<number> {
  return Number(await readFile(`/proc/sys/${entry}`, "utf8"));
}
