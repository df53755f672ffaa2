// KubeProxyConfiguration v1alpha1: its shape, its defaults, and flags laid over it. Durations are Go's words, as in the
// file. Judges nothing: validate-configuration.ts does.

import { readConfigFile } from "@picokube/component-base/config-file";
import { formatDuration } from "@picokube/component-base/duration";
import type { FlagValues } from "@picokube/component-base/flag-set";
import type { flags } from "./flags.js";

export const configurationKind = { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration" };

export interface KubeProxyConfiguration {
  apiVersion: string;
  kind: string;
  bindAddress: string;
  bindAddressHardFail: boolean;
  clientConnection: {
    acceptContentTypes: string;
    burst: number;
    contentType: string;
    kubeconfig: string;
    qps: number;
  };
  clusterCIDR: string;
  configSyncPeriod: string;
  conntrack: {
    maxPerCore: number;
    min: number;
    tcpBeLiberal: boolean;
    tcpCloseWaitTimeout: string;
    tcpEstablishedTimeout: string;
    udpStreamTimeout: string;
    udpTimeout: string;
  };
  detectLocal: { bridgeInterface: string; interfaceNamePrefix: string };
  detectLocalMode: string;
  enableProfiling: boolean;
  featureGates: Record<string, boolean>;
  healthzBindAddress: string;
  hostnameOverride: string;
  iptables: {
    localhostNodePorts: boolean;
    masqueradeAll: boolean;
    masqueradeBit: number;
    minSyncPeriod: string;
    syncPeriod: string;
  };
  /** Read and kept, but of no effect: modes of upstream that are not here. */
  ipvs: Record<string, unknown>;
  nftables: Record<string, unknown>;
  winkernel: Record<string, unknown>;
  logging: Record<string, unknown>;
  metricsBindAddress: string;
  mode: string;
  nodePortAddresses: string[];
  oomScoreAdj: number;
  portRange: string;
  showHiddenMetricsForVersion: string;
  windowsRunAsService: boolean;
}

/** What a file that says nothing means; upstream's defaults but for minSyncPeriod, for only changed chains are written. */
export function defaultConfiguration(): KubeProxyConfiguration {
  return {
    ...configurationKind,
    bindAddress: "0.0.0.0",
    bindAddressHardFail: false,
    clientConnection: {
      acceptContentTypes: "",
      burst: 10,
      contentType: "application/vnd.kubernetes.protobuf",
      kubeconfig: "",
      qps: 5,
    },
    clusterCIDR: "",
    configSyncPeriod: "15m0s",
    conntrack: {
      maxPerCore: 32_768,
      min: 131_072,
      tcpBeLiberal: false,
      tcpCloseWaitTimeout: "1h0m0s",
      tcpEstablishedTimeout: "24h0m0s",
      udpStreamTimeout: "0s",
      udpTimeout: "0s",
    },
    detectLocal: { bridgeInterface: "", interfaceNamePrefix: "" },
    detectLocalMode: "ClusterCIDR",
    enableProfiling: false,
    featureGates: {},
    healthzBindAddress: "0.0.0.0:10256",
    hostnameOverride: "",
    iptables: {
      localhostNodePorts: true,
      masqueradeAll: false,
      masqueradeBit: 14,
      minSyncPeriod: "100ms",
      syncPeriod: "30s",
    },
    ipvs: {},
    nftables: {},
    winkernel: {},
    logging: {},
    metricsBindAddress: "127.0.0.1:10249",
    mode: "iptables",
    nodePortAddresses: [],
    oomScoreAdj: -999,
    portRange: "",
    showHiddenMetricsForVersion: "",
    windowsRunAsService: false,
  };
}

export interface LoadedConfiguration {
  readonly configuration: KubeProxyConfiguration;
  /** Fields of the file that no KubeProxyConfiguration has: "iptables.syncperiod". */
  readonly unknownFields: readonly string[];
}

/** The defaults, the file over them, and over both the flags that were given. */
export async function loadConfiguration(
  values: FlagValues<typeof flags>,
  changed: ReadonlySet<string>,
): Promise<LoadedConfiguration> {
  const configuration = defaultConfiguration();
  const unknownFields: string[] = [];
  if (values.config !== undefined)
    layOver(configuration as never, await readConfigFile(values.config, configurationKind), "", unknownFields);
  layFlagsOver(configuration, values, changed);
  return { configuration, unknownFields };
}

/** Sections whose fields are not known here. */
const open = new Set(["ipvs", "nftables", "winkernel", "logging", "featureGates"]);

// Zero values of durations, strings and limits mean "default" in upstream's SetDefaults, where the default is not the zero value.
function layOver(target: Record<string, unknown>, source: object, path: string, unknownFields: string[]): void {
  for (const [key, value] of Object.entries(source)) {
    const name = path + key;
    if (!(key in target) && !open.has(path.slice(0, -1))) unknownFields.push(name);
    else if (value === null || value === undefined) continue;
    else if (typeof value === "object" && !Array.isArray(value) && typeof target[key] === "object")
      layOver(target[key] as Record<string, unknown>, value, `${name}.`, unknownFields);
    else if (value === "" && key !== "healthzBindAddress" && key !== "metricsBindAddress") continue;
    else if (value === 0 && (key === "qps" || key === "burst")) continue;
    else if (value === "0s" && (key === "syncPeriod" || key === "configSyncPeriod")) continue;
    else target[key] = value;
  }
}

function layFlagsOver(
  configuration: KubeProxyConfiguration,
  values: FlagValues<typeof flags>,
  changed: ReadonlySet<string>,
): void {
  const { iptables, conntrack, detectLocal } = configuration;
  const duration = (durationMs: number) => formatDuration(durationMs);
  const lay: Record<string, () => void> = {
    kubeconfig: () => (configuration.clientConnection.kubeconfig = values.kubeconfig ?? ""),
    "kube-api-qps": () => (configuration.clientConnection.qps = values.kubeApiQps),
    "kube-api-burst": () => (configuration.clientConnection.burst = values.kubeApiBurst),
    "kube-api-content-type": () => (configuration.clientConnection.contentType = values.kubeApiContentType),
    profiling: () => (configuration.enableProfiling = values.profiling),
    "feature-gates": () => (configuration.featureGates = gatesOf(values.featureGates)),
    "show-hidden-metrics-for-version": () =>
      (configuration.showHiddenMetricsForVersion = values.showHiddenMetricsForVersion ?? ""),
    "hostname-override": () => (configuration.hostnameOverride = values.hostnameOverride ?? ""),
    "bind-address": () => (configuration.bindAddress = values.bindAddress),
    "bind-address-hard-fail": () => (configuration.bindAddressHardFail = values.bindAddressHardFail),
    "healthz-bind-address": () => (configuration.healthzBindAddress = values.healthzBindAddress),
    "metrics-bind-address": () => (configuration.metricsBindAddress = values.metricsBindAddress),
    "proxy-mode": () => (configuration.mode = values.proxyMode || configuration.mode),
    "detect-local-mode": () => (configuration.detectLocalMode = values.detectLocalMode || "ClusterCIDR"),
    "cluster-cidr": () => (configuration.clusterCIDR = values.clusterCidr ?? ""),
    "pod-bridge-interface": () => (detectLocal.bridgeInterface = values.podBridgeInterface ?? ""),
    "pod-interface-name-prefix": () => (detectLocal.interfaceNamePrefix = values.podInterfaceNamePrefix ?? ""),
    "nodeport-addresses": () => (configuration.nodePortAddresses = values.nodeportAddresses),
    "masquerade-all": () => (iptables.masqueradeAll = values.masqueradeAll),
    "iptables-masquerade-bit": () => (iptables.masqueradeBit = values.iptablesMasqueradeBit),
    "iptables-localhost-nodeports": () => (iptables.localhostNodePorts = values.iptablesLocalhostNodeports),
    "iptables-min-sync-period": () => (iptables.minSyncPeriod = duration(values.iptablesMinSyncPeriod)),
    "iptables-sync-period": () => (iptables.syncPeriod = duration(values.iptablesSyncPeriod)),
    "conntrack-max-per-core": () => (conntrack.maxPerCore = values.conntrackMaxPerCore),
    "conntrack-min": () => (conntrack.min = values.conntrackMin),
    "conntrack-tcp-timeout-established": () =>
      (conntrack.tcpEstablishedTimeout = duration(values.conntrackTcpTimeoutEstablished)),
    "conntrack-tcp-timeout-close-wait": () =>
      (conntrack.tcpCloseWaitTimeout = duration(values.conntrackTcpTimeoutCloseWait)),
    "conntrack-tcp-be-liberal": () => (conntrack.tcpBeLiberal = values.conntrackTcpBeLiberal),
    "conntrack-udp-timeout": () => (conntrack.udpTimeout = duration(values.conntrackUdpTimeout)),
    "conntrack-udp-timeout-stream": () => (conntrack.udpStreamTimeout = duration(values.conntrackUdpTimeoutStream)),
    "oom-score-adj": () => (configuration.oomScoreAdj = values.oomScoreAdj),
    "config-sync-period": () => (configuration.configSyncPeriod = duration(values.configSyncPeriod)),
  };
  for (const flag of changed) lay[flag]?.();
}

function gatesOf(given: Readonly<Record<string, string>>): Record<string, boolean> {
  return Object.fromEntries(Object.entries(given).map(([gate, value]) => [gate, value.toLowerCase() === "true"]));
}
