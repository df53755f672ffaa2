// kube-proxy's flags, under upstream's names (cmd/kube-proxy/app/options.go). Data alone.

import type { Flag } from "@picokube/component-base/flag-set";

export const flags = {
  config: {
    type: "string",
    description: "The path to the configuration file (KubeProxyConfiguration, kubeproxy.config.k8s.io/v1alpha1).",
  },
  "write-config-to": {
    type: "string",
    description: "If set, write the default configuration values to this file and exit.",
  },
  kubeconfig: {
    type: "string",
    description:
      "Path to kubeconfig file with authorization information (the master location can be overridden by the master flag).",
  },
  master: {
    type: "string",
    description: "The address of the Kubernetes API server (overrides any value in kubeconfig)",
  },
  "kube-api-qps": {
    type: "int",
    default: 5,
    description: "QPS to use while talking with kubernetes apiserver; below 0 there is no limit.",
  },
  "kube-api-burst": { type: "int", default: 10, description: "Burst to use while talking with kubernetes apiserver." },
  "kube-api-content-type": {
    type: "string",
    default: "application/vnd.kubernetes.protobuf",
    description: "Content type of requests sent to apiserver. Of no effect here: requests are JSON.",
  },
  "feature-gates": {
    type: "map",
    default: {},
    description: "A set of key=value pairs that describe feature gates. None switches anything here.",
  },
  profiling: {
    type: "bool",
    description: "If true enables profiling via web interface on /debug/pprof handler. Of no effect here.",
  },
  "show-hidden-metrics-for-version": {
    type: "string",
    description: "The previous version for which you want to show hidden metrics. Of no effect here: none is hidden.",
  },
  "hostname-override": {
    type: "string",
    description:
      "If non-empty, will be used as the name of the Node that kube-proxy is running on. If unset, the node name is assumed to be the same as the node's hostname.",
  },
  "bind-address": {
    type: "string",
    default: "0.0.0.0",
    description:
      "Overrides kube-proxy's idea of what its node's primary IP is. Note that the name is a historical artifact, and kube-proxy does not actually bind any sockets to this IP.",
  },
  "bind-address-hard-fail": {
    type: "bool",
    description: "If true kube-proxy will treat failure to bind to a port as fatal and exit",
  },
  "healthz-bind-address": {
    type: "string",
    default: "0.0.0.0:10256",
    description: "The IP address and port for the health check server to serve on. Set empty to disable.",
  },
  "metrics-bind-address": {
    type: "string",
    default: "127.0.0.1:10249",
    description: "The IP address and port for the metrics server to serve on. Set empty to disable.",
  },
  "proxy-mode": {
    type: "string",
    description: "Which proxy mode to use: 'iptables' (default). Upstream's 'ipvs' and 'nftables' are not here.",
  },
  "detect-local-mode": {
    type: "string",
    description:
      "Mode to use to detect local traffic: ClusterCIDR (default), NodeCIDR, BridgeInterface or InterfaceNamePrefix.",
  },
  "cluster-cidr": {
    type: "string",
    description:
      "The CIDR range of the pods in the cluster. (For dual-stack clusters, this can be a comma-separated dual-stack pair of CIDR ranges.). When --detect-local-mode is set to ClusterCIDR, kube-proxy will consider traffic to be local if its source IP is in this range. (Otherwise it is not used.)",
  },
  "pod-bridge-interface": {
    type: "string",
    description:
      "A bridge interface name. When --detect-local-mode is set to BridgeInterface, kube-proxy will consider traffic to be local if it originates from this bridge.",
  },
  "pod-interface-name-prefix": {
    type: "string",
    description:
      "An interface name prefix. When --detect-local-mode is set to InterfaceNamePrefix, kube-proxy will consider traffic to be local if it originates from any interface whose name begins with this prefix.",
  },
  "nodeport-addresses": {
    type: "string-list",
    description:
      "A list of CIDR ranges that contain valid node IPs, or alternatively, the single string 'primary'. If set to a list of CIDRs, connections to NodePort services will only be accepted on node IPs in one of the indicated ranges. If set to 'primary', NodePort services will only be accepted on the node's primary IP(s) according to the Node object. If unset, NodePort connections will be accepted on all local IPs.",
  },
  "masquerade-all": {
    type: "bool",
    description: "SNAT all traffic sent via Service cluster IPs. This may be required with some CNI plugins.",
  },
  "iptables-masquerade-bit": {
    type: "int",
    default: 14,
    description: "The bit of the fwmark space to mark packets requiring SNAT with. Must be within the range [0, 31].",
  },
  "iptables-localhost-nodeports": {
    type: "bool",
    default: true,
    description:
      "If false, kube-proxy will disable the legacy behavior of allowing NodePort services to be accessed via localhost. (Applies only to IPv4; localhost NodePorts are never allowed with IPv6.)",
  },
  "iptables-min-sync-period": {
    type: "duration",
    default: "100ms",
    description:
      "The minimum period between iptables rule resyncs (e.g. '5s', '1m', '2h22m'). A value of 0 means every Service or EndpointSlice change will result in an immediate iptables resync.",
  },
  "iptables-sync-period": {
    type: "duration",
    default: "30s",
    description:
      "An interval (e.g. '5s', '1m', '2h22m') indicating how frequently various re-synchronizing and cleanup operations are performed. Must be greater than 0.",
  },
  "conntrack-max-per-core": {
    type: "int",
    default: 32_768,
    description:
      "Maximum number of NAT connections to track per CPU core (0 to leave the limit as-is and ignore conntrack-min).",
  },
  "conntrack-min": {
    type: "int",
    default: 131_072,
    description:
      "Minimum number of conntrack entries to allocate, regardless of conntrack-max-per-core (set conntrack-max-per-core=0 to leave the limit as-is).",
  },
  "conntrack-tcp-timeout-established": {
    type: "duration",
    default: "24h",
    description: "Idle timeout for established TCP connections (0 to leave as-is)",
  },
  "conntrack-tcp-timeout-close-wait": {
    type: "duration",
    default: "1h",
    description: "NAT timeout for TCP connections in the CLOSE_WAIT state",
  },
  "conntrack-tcp-be-liberal": {
    type: "bool",
    description: "Enable liberal mode for tracking TCP packets by setting nf_conntrack_tcp_be_liberal to 1",
  },
  "conntrack-udp-timeout": {
    type: "duration",
    default: "0s",
    description: "Idle timeout for UNREPLIED UDP connections (0 to leave as-is)",
  },
  "conntrack-udp-timeout-stream": {
    type: "duration",
    default: "0s",
    description: "Idle timeout for ASSURED UDP connections (0 to leave as-is)",
  },
  "oom-score-adj": {
    type: "int",
    default: -999,
    description: "The oom-score-adj value for kube-proxy process. Values must be within the range [-1000, 1000].",
  },
  "config-sync-period": {
    type: "duration",
    default: "15m",
    description: "How often configuration from the apiserver is refreshed. Must be greater than 0.",
  },
  "init-only": {
    type: "bool",
    description:
      "If true, perform any initialization steps that must be done with full root privileges, and then exit. After doing this, you can run kube-proxy again with only the CAP_NET_ADMIN capability.",
  },
  cleanup: { type: "bool", description: "If true cleanup iptables rules of this proxy and exit." },
  "chain-prefix": {
    type: "string",
    default: "KUBE",
    description: "First word of every iptables chain. Only two clusters on one host need different ones.",
  },
  "iptables-variant": {
    type: "string",
    default: "auto",
    choices: ["auto", "host", "nft", "legacy"],
    description:
      "Which iptables to run: nft, legacy, the host's own choice (the command of the plain name), or auto: the kind that this host's kubelet or other programs have rules in.",
  },
} as const satisfies Record<string, Flag>;
