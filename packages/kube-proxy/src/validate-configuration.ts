// Judges a KubeProxyConfiguration in upstream's words (pkg/proxy/apis/config/validation). Pure.

import { isIP } from "node:net";
import { parseDuration } from "@picokube/component-base/duration";
import type { KubeProxyConfiguration } from "./configuration.js";
import { familyOf } from "./ip-family.js";

const localModes = ["BridgeInterface", "ClusterCIDR", "InterfaceNamePrefix", "NodeCIDR"];
const otherModes = ["ipvs", "nftables", "userspace", "kernelspace"];

/** All faults, each naming its field; none for a configuration that can be run. */
export function validateConfiguration(configuration: KubeProxyConfiguration): string[] {
  const faults: string[] = [];
  const root = "KubeProxyConfiguration";
  const invalid = (field: string, value: unknown, why: string) =>
    faults.push(`${root}.${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
  const { iptables, conntrack, detectLocal, detectLocalMode, mode } = configuration;

  if (!inBounds(iptables.masqueradeBit, 0, 31))
    invalid("KubeProxyIPTablesConfiguration.MasqueradeBit", iptables.masqueradeBit, "must be within the range [0, 31]");
  const syncMs = milliseconds("SyncPeriod", iptables.syncPeriod, invalid);
  const minSyncMs = milliseconds("KubeProxyIPTablesConfiguration.MinSyncPeriod", iptables.minSyncPeriod, invalid);
  if (syncMs !== undefined && syncMs <= 0) invalid("SyncPeriod", iptables.syncPeriod, "must be greater than 0");
  if (minSyncMs !== undefined && minSyncMs < 0)
    invalid("MinSyncPeriod", iptables.minSyncPeriod, "must be greater than or equal to 0");
  if (minSyncMs !== undefined && syncMs !== undefined && minSyncMs > syncMs)
    invalid("SyncPeriod", iptables.minSyncPeriod, `must be greater than or equal to ${root}.MinSyncPeriod`);
  const configSyncMs = milliseconds("ConfigSyncPeriod", configuration.configSyncPeriod, invalid);
  if (configSyncMs !== undefined && configSyncMs <= 0)
    invalid("ConfigSyncPeriod", configuration.configSyncPeriod, "must be greater than 0");

  for (const [name, value] of [
    ["MaxPerCore", conntrack.maxPerCore],
    ["Min", conntrack.min],
  ] as const)
    if (!(value >= 0)) invalid(`KubeProxyConntrackConfiguration.${name}`, value, "must be greater than or equal to 0");
  for (const [name, value] of [
    ["TCPEstablishedTimeout", conntrack.tcpEstablishedTimeout],
    ["TCPCloseWaitTimeout", conntrack.tcpCloseWaitTimeout],
    ["UDPTimeout", conntrack.udpTimeout],
    ["UDPStreamTimeout", conntrack.udpStreamTimeout],
  ] as const) {
    const field = `KubeProxyConntrackConfiguration.${name}`;
    const timeoutMs = milliseconds(field, value, invalid);
    if (timeoutMs !== undefined && timeoutMs < 0) invalid(field, value, "must be greater than or equal to 0");
  }

  if (otherModes.includes(mode))
    invalid("Mode", mode, "must be iptables: this kube-proxy programs iptables and nothing else");
  else if (mode !== "iptables")
    invalid("Mode", mode, "must be iptables or blank (blank means the best-available proxy [currently iptables])");
  if (!localModes.includes(detectLocalMode))
    invalid("detectLocalMode", detectLocalMode, `must be ${localModes.join(",")} or blank`);
  if (detectLocalMode === "BridgeInterface" && !isInterfaceName(detectLocal.bridgeInterface))
    invalid("InterfaceName", detectLocal.bridgeInterface, "must be an interface name of at most 15 characters");
  if (detectLocalMode === "InterfaceNamePrefix" && !isInterfaceName(detectLocal.interfaceNamePrefix))
    invalid("InterfacePrefix", detectLocal.interfaceNamePrefix, "must be letters that interface names begin with");
  if (!inBounds(configuration.oomScoreAdj, -1000, 1000))
    invalid("OOMScoreAdj", configuration.oomScoreAdj, "must be within the range [-1000, 1000]");
  if (isIP(configuration.bindAddress) === 0)
    invalid("BindAddress", configuration.bindAddress, "not a valid textual representation of an IP address");
  if (configuration.healthzBindAddress !== "")
    hostPortFaults("HealthzBindAddress", configuration.healthzBindAddress, invalid);
  if (configuration.metricsBindAddress !== "")
    hostPortFaults("MetricsBindAddress", configuration.metricsBindAddress, invalid);
  clusterCidrFaults(configuration.clusterCIDR, invalid);
  nodePortFaults(configuration.nodePortAddresses, invalid);
  return faults;
}

type Invalid = (field: string, value: unknown, why: string) => void;

function inBounds(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}

function milliseconds(field: string, text: string, invalid: Invalid): number | undefined {
  try {
    return parseDuration(text);
  } catch (error) {
    invalid(field, text, (error as Error).message);
    return undefined;
  }
}

// It becomes a word of a rule: no blank and no sign of iptables' own may stand in it.
function isInterfaceName(name: string): boolean {
  return /^[A-Za-z0-9_.:@-]{1,15}$/.test(name);
}

function hostPortFaults(field: string, text: string, invalid: Invalid): void {
  const match = /^(?:\[(.+)\]|([^:]*)):([^:]*)$/.exec(text);
  if (!match) {
    invalid(field, text, "must be IP:port");
    return;
  }
  const host = match[1] ?? match[2]!;
  if (isIP(host) === 0) invalid(field, host, "must be a valid IP");
  if (!/^\d+$/.test(match[3]!) || !inBounds(Number(match[3]), 1, 65_535))
    invalid(field, match[3], "must be a valid port");
}

/** Whether a text is a range: an address, a slash and a length that fits. */
export function isCidr(text: string): boolean {
  const [address, length, ...rest] = text.split("/");
  const version = isIP(address!);
  return (
    version !== 0 && rest.length === 0 && /^\d+$/.test(length ?? "") && Number(length) <= (version === 4 ? 32 : 128)
  );
}

function clusterCidrFaults(text: string, invalid: Invalid): void {
  if (text === "") return;
  const ranges = text.split(",");
  if (ranges.length > 2)
    invalid(
      "ClusterCIDR",
      text,
      "only one CIDR allowed or a valid DualStack CIDR (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)",
    );
  else if (ranges.length === 2) {
    if (!ranges.every(isCidr) || familyOf(ranges[0]!) === familyOf(ranges[1]!))
      invalid("ClusterCIDR", text, "must be a valid DualStack CIDR (e.g. 10.100.0.0/16,fde4:8dba:82e1::/48)");
  } else if (!isCidr(text))
    invalid("ClusterCIDR", text, "must be a valid CIDR block (e.g. 10.100.0.0/16 or fde4:8dba:82e1::/48)");
}

function nodePortFaults(ranges: readonly string[], invalid: Invalid): void {
  for (const [i, range] of ranges.entries()) {
    const field = `NodePortAddresses[${i}]`;
    if (range === "primary") {
      if (ranges.length !== 1) invalid(field, range, "can't use both 'primary' and CIDRs");
      return;
    }
    if (!isCidr(range)) invalid(field, range, "must be a valid CIDR");
  }
}
