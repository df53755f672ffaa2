// A proxier for each IP family that the host's iptables can serve, with the health servers that go with it.

import { services } from "@picokube/api/core/v1";
import { apiVersionOf } from "@picokube/api/resource";
import type { EventRecorder } from "@picokube/client/event-recorder";
import type { InformerFactory } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import { parseDuration } from "@picokube/component-base/duration";
import type { Logger } from "@picokube/component-base/logger";
import type { KubeProxyConfiguration } from "./configuration.js";
import type { IpFamily } from "./ip-family.js";
import { type Iptables, type IptablesVariant, openIptables } from "./iptables.js";
import { localTrafficOf } from "./local-traffic.js";
import { nodePortIps } from "./node-port-addresses.js";
import type { OwnNode } from "./own-node.js";
import { ensureCounters } from "./packet-counters.js";
import { createProxier, type Proxier } from "./proxier.js";
import type { ProxyHealth } from "./proxy-health.js";
import type { ProxyMetrics } from "./proxy-metrics.js";
import type { RuleSettings } from "./rule-set.js";
import { createServiceHealthServers } from "./service-health.js";

export interface FamiliesOptions {
  readonly configuration: KubeProxyConfiguration;
  readonly prefix: string;
  readonly variant: IptablesVariant;
  readonly nodeName: string;
  readonly node: OwnNode;
  readonly dropInvalid: boolean;
  readonly localhostNodePorts: boolean;
  readonly packetCounters: ReadonlySet<string>;
  readonly informers: InformerFactory;
  readonly recorder: EventRecorder;
  readonly health: ProxyHealth;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How soon rules that somebody flushed are there again, at the latest. */
const probePeriodMs = 5_000;

/** IPv4 must be there; IPv6 is served where the kernel and ip6tables are. */
export async function openFamilies(options: FamiliesOptions): Promise<Proxier[]> {
  const { variant, logger } = options;
  const ipv4 = await openIptables({ family: "IPv4", variant });
  const ipv6 = await openIptables({ family: "IPv6", variant }).catch((error: unknown) => {
    logger.info("No iptables support for family", { ipFamily: "IPv6", err: error });
  });
  if (ipv6) logger.info("kube-proxy running in dual-stack mode", { primaryIpFamily: "IPv4", iptables: ipv4.backend });
  else logger.info("kube-proxy running in single-stack mode", { ipFamily: "IPv4", iptables: ipv4.backend });
  return [ipv4, ...(ipv6 ? [ipv6] : [])].map((iptables) => familyProxier(iptables, options));
}

function familyProxier(iptables: Iptables, options: FamiliesOptions): Proxier {
  const { configuration, nodeName, node, health, clock, logger } = options;
  const { family } = iptables;
  return createProxier({
    ...options,
    iptables,
    settings: () => settingsOf(family, options),
    node: () => ({ nodeName, zone: node.zone() }),
    minSyncPeriodMs: parseDuration(configuration.iptables.minSyncPeriod),
    syncPeriodMs: parseDuration(configuration.iptables.syncPeriod),
    probePeriodMs,
    ensureCounters: async () => {
      if (options.packetCounters.size > 0) await ensureCounters(options.prefix, { logger });
    },
    serviceHealth: createServiceHealthServers({
      nodeName,
      addresses: () => healthAddresses(family, nodePortRanges(options)),
      isProxyHealthy: () => health.isHealthy(),
      onFailure: (service, message) => tellOfPort(options.recorder, service, message),
      logger,
    }),
    clock,
  });
}

function settingsOf(family: IpFamily, options: FamiliesOptions): Omit<RuleSettings, "isLargeCluster"> {
  const { configuration, node } = options;
  return {
    prefix: options.prefix,
    family,
    localTraffic: localTrafficOf(family, {
      mode: configuration.detectLocalMode,
      clusterCidr: configuration.clusterCIDR,
      podCidr: node.podCidr(family),
      ...configuration.detectLocal,
    }),
    masqueradeAll: configuration.iptables.masqueradeAll,
    masqueradeBit: configuration.iptables.masqueradeBit,
    nodePortIps: nodePortIps(nodePortRanges(options), family),
    localhostNodePorts: options.localhostNodePorts,
    nodeIp: node.ip(family),
    dropInvalid: options.dropInvalid,
    packetCounters: options.packetCounters,
  };
}

/** The configured ranges, or for "primary" the node's own addresses. */
function nodePortRanges({ configuration, node }: FamiliesOptions): readonly string[] {
  const ranges = configuration.nodePortAddresses;
  if (ranges[0] !== "primary") return ranges;
  const [ipv4, ipv6] = [node.ip("IPv4"), node.ip("IPv6")];
  return [...(ipv4 ? [`${ipv4}/32`] : []), ...(ipv6 ? [`${ipv6}/128`] : [])];
}

function healthAddresses(family: IpFamily, ranges: readonly string[]): readonly string[] {
  const ips = nodePortIps(ranges, family);
  if (ips !== "all") return ips;
  return [family === "IPv6" ? "::" : "0.0.0.0"];
}

function tellOfPort(recorder: EventRecorder, service: string, message: string): void {
  const [namespace, name] = service.split("/") as [string, string];
  recorder.record(
    { apiVersion: apiVersionOf(services), kind: "Service", namespace, name, uid: service },
    { type: "Warning", reason: "FailedToStartServiceHealthcheck", message },
  );
}
