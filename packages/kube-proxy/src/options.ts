// kube-proxy's flags and KubeProxyConfiguration v1alpha1, laid over one another: a flag that was given wins.

import { hostname } from "node:os";
import { ConfigError } from "@picokube/component-base/config-error";
import { readConfigFile } from "@picokube/component-base/config-file";
import { parseDuration } from "@picokube/component-base/duration";
import type { Flag, FlagValues } from "@picokube/component-base/flag-set";

export const flags = {
  config: {
    type: "string",
    description: "The path to the configuration file (KubeProxyConfiguration, kubeproxy.config.k8s.io/v1alpha1).",
  },
  kubeconfig: {
    type: "string",
    description:
      "Path to kubeconfig file with authorization information (the master location can be overridden by the master flag).",
  },
  "hostname-override": {
    type: "string",
    description:
      "If non-empty, will be used as the name of the Node that kube-proxy is running on. If unset, the node name is assumed to be the same as the node's hostname.",
  },
  "cluster-cidr": {
    type: "string",
    description:
      "The CIDR range of the pods in the cluster. Traffic sent to a Service cluster IP from outside this range is masqueraded.",
  },
  "proxy-mode": {
    type: "string",
    default: "iptables",
    choices: ["iptables"],
    description: "Which proxy mode to use: on Linux this can be 'iptables'.",
  },
  "masquerade-all": { type: "bool", description: "SNAT all traffic sent via Service cluster IPs." },
  "iptables-masquerade-bit": {
    type: "int",
    default: 14,
    description: "The bit of the fwmark space to mark packets requiring SNAT with. Must be within the range [0, 31].",
  },
  "iptables-min-sync-period": {
    type: "duration",
    default: "100ms",
    description: "The minimum period between iptables rule resyncs (e.g. '5s', '1m', '2h22m').",
  },
  "iptables-sync-period": {
    type: "duration",
    default: "30s",
    description:
      "An interval for how often the iptables rules are written again even though nothing changed, and how soon a failed write is tried again.",
  },
  "nodeport-addresses": {
    type: "string-list",
    description:
      "A list of CIDR ranges that contain valid node IPs: connections to NodePort services are only accepted on these; all local ones when empty.",
  },
  "metrics-bind-address": {
    type: "string",
    default: "127.0.0.1:10249",
    description: "The IP address with port for the metrics server to serve on.",
  },
  "healthz-bind-address": {
    type: "string",
    default: "0.0.0.0:10256",
    description: "The IP address with port for the health check server to serve on.",
  },
  cleanup: { type: "bool", description: "If true clean up iptables rules of this proxy and exit." },
  "chain-prefix": {
    type: "string",
    default: "KUBE",
    description: "First word of every iptables chain. Only two clusters on one host need different ones.",
  },
} as const satisfies Record<string, Flag>;

export interface ProxyOptions {
  readonly kubeconfig: string;
  readonly nodeName: string;
  readonly clusterCidr: string | undefined;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  readonly minSyncPeriodMs: number;
  readonly syncPeriodMs: number;
  readonly nodePortAddresses: readonly string[];
  readonly metricsAddress: HostPort | undefined;
  readonly healthzAddress: HostPort | undefined;
  readonly cleanup: boolean;
  readonly chainPrefix: string;
}

export interface HostPort {
  readonly address: string;
  readonly port: number;
}

interface ProxyConfiguration {
  clientConnection?: { kubeconfig?: string };
  hostnameOverride?: string;
  clusterCIDR?: string;
  mode?: string;
  metricsBindAddress?: string;
  healthzBindAddress?: string;
  nodePortAddresses?: string[];
  iptables?: { masqueradeAll?: boolean; masqueradeBit?: number; minSyncPeriod?: string; syncPeriod?: string };
}

/** Throws ConfigError on a bad value, naming flag or field. */
export async function resolveOptions(
  values: FlagValues<typeof flags>,
  changed: ReadonlySet<string>,
): Promise<ProxyOptions> {
  const file: ProxyConfiguration =
    values.config === undefined
      ? {}
      : await readConfigFile(values.config, {
          apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
          kind: "KubeProxyConfiguration",
        });
  if (file.mode && file.mode !== "iptables")
    throw new ConfigError(`${values.config}: mode: Unsupported value: "${file.mode}": supported values: "iptables"`);
  const pick = <T>(flag: string, given: T, configured: T | undefined): T =>
    changed.has(flag) || configured === undefined || configured === "" ? given : configured;
  const duration = (flag: string, given: number, configured: string | undefined) =>
    pick(flag, given, configured && configured !== "0s" ? parseDuration(configured) : undefined);

  const kubeconfig = pick("kubeconfig", values.kubeconfig, file.clientConnection?.kubeconfig);
  if (!kubeconfig && !values.cleanup)
    throw new ConfigError("--kubeconfig, or clientConnection.kubeconfig in --config, is required");
  const masqueradeBit = pick("iptables-masquerade-bit", values.iptablesMasqueradeBit, file.iptables?.masqueradeBit);
  if (masqueradeBit < 0 || masqueradeBit > 31)
    throw new ConfigError(`iptables.masqueradeBit: Invalid value: ${masqueradeBit}: must be within the range [0, 31]`);
  if (!/^[A-Z][A-Z0-9]{0,3}$/.test(values.chainPrefix))
    throw new ConfigError(`--chain-prefix "${values.chainPrefix}": one to four capital letters or digits are wanted`);
  return {
    kubeconfig: kubeconfig ?? "",
    nodeName: (pick("hostname-override", values.hostnameOverride, file.hostnameOverride) ?? hostname())
      .trim()
      .toLowerCase(),
    clusterCidr: pick("cluster-cidr", values.clusterCidr, file.clusterCIDR),
    masqueradeAll: pick("masquerade-all", values.masqueradeAll, file.iptables?.masqueradeAll),
    masqueradeBit,
    minSyncPeriodMs: duration("iptables-min-sync-period", values.iptablesMinSyncPeriod, file.iptables?.minSyncPeriod),
    syncPeriodMs: duration("iptables-sync-period", values.iptablesSyncPeriod, file.iptables?.syncPeriod),
    nodePortAddresses: pick("nodeport-addresses", values.nodeportAddresses, file.nodePortAddresses),
    metricsAddress: hostPort(
      "metrics-bind-address",
      pick("metrics-bind-address", values.metricsBindAddress, file.metricsBindAddress),
    ),
    healthzAddress: hostPort(
      "healthz-bind-address",
      pick("healthz-bind-address", values.healthzBindAddress, file.healthzBindAddress),
    ),
    cleanup: values.cleanup,
    chainPrefix: values.chainPrefix,
  };
}

/** "127.0.0.1:10249"; undefined when empty: do not serve. */
export function hostPort(flag: string, text: string): HostPort | undefined {
  if (text === "") return undefined;
  const match = /^(?:\[(.+)\]|([^:]*)):(\d+)$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535)
    throw new ConfigError(`invalid argument "${text}" for "--${flag}": an IP address with a port is wanted`);
  return { address: match[1] ?? match[2] ?? "", port };
}
