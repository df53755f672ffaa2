// The kubelet's flags: upstream's names, defaults and words, and the few of our own. Data alone.

import type { Flag } from "@picokube/component-base/flag-set";
import { resourceFlags } from "./resource-flags.js";
import { serverFlags } from "./server-flags.js";

export const flags = {
  config: {
    type: "string",
    description:
      "The Kubelet will load its initial configuration from this file (KubeletConfiguration, kubelet.config.k8s.io/v1beta1). Command-line flags override configuration from the file.",
  },
  kubeconfig: {
    type: "string",
    description: "Path to a kubeconfig file, specifying how to connect to the API server.",
  },
  "bootstrap-kubeconfig": {
    type: "string",
    description:
      "Path to a kubeconfig file that will be used to get client certificate for kubelet. If the file specified by --kubeconfig does not exist, the bootstrap kubeconfig is used to request a client certificate from the API server. On success, a kubeconfig file referencing the generated client certificate and key is written to the path specified by --kubeconfig. The client certificate and key file will be stored in the directory pointed by --cert-dir.",
  },
  "cert-dir": {
    type: "string",
    default: "/var/lib/kubelet/pki",
    description: "The directory where the TLS certs that the API server signed are located.",
  },
  "rotate-certificates": {
    type: "bool",
    default: false,
    description:
      "Auto rotate the kubelet client certificates by requesting new certificates from the kube-apiserver when the certificate expiration approaches.",
  },
  "rotate-server-certificates": {
    type: "bool",
    default: false,
    description:
      "Auto-request and rotate the kubelet serving certificates by requesting new certificates from the kube-apiserver when the certificate expiration approaches. Requires approval of the submitted CertificateSigningRequest objects.",
  },
  "hostname-override": {
    type: "string",
    default: "",
    description: "If non-empty, will use this string as identification instead of the actual hostname.",
  },
  "node-ip": {
    type: "string-list",
    default: [],
    description: "IP address of the node. If unset, the address of the interface with the default route is used.",
  },
  "root-dir": {
    type: "string",
    default: "/var/lib/kubelet",
    description:
      "Directory path for managing kubelet files (volume mounts, etc). Also tells this kubelet's containers from another's on one engine.",
  },
  "docker-endpoint": {
    type: "string",
    default: "unix:///var/run/docker.sock",
    description: "The Docker Engine to run containers on: unix:// followed by a socket's path, or tcp://host:port.",
  },
  "cni-conf-dir": {
    type: "string",
    default: "/etc/cni/net.d",
    description:
      "The full path of the directory in which to search for CNI config files. When it has one, pods are wired by its plugins instead of the built-in pod network.",
  },
  "cni-bin-dir": {
    type: "string-list",
    default: ["/opt/cni/bin", "/usr/lib/cni"],
    description: "A comma-separated list of full paths of directories in which to search for CNI plugin binaries.",
  },
  "pod-bridge": {
    type: "string",
    default: "pico0",
    description: "Name of the bridge that connects this node's pods. Give each cluster on one machine its own.",
  },
  "make-iptables-util-chains": {
    type: "bool",
    default: true,
    description: "If true, kubelet will ensure iptables utility rules are present on host.",
  },
  "chain-prefix": {
    type: "string",
    default: "KUBE",
    description:
      "The first word of the names of the kubelet's iptables chains. Give each cluster on one machine its own, and its kube-proxy the same.",
  },
  "cluster-cidr": {
    type: "string",
    default: "10.244.0.0/16",
    description: "The CIDR of all pods of the cluster: traffic to it is never masqueraded.",
  },
  "pod-network-backend": {
    type: "string",
    default: "auto",
    description:
      "How packets reach pods of other nodes: host-gw (a route by way of the node, which must share a link with this one), vxlan (a tunnel), or auto, which chooses per node.",
  },
  "pod-cidr": {
    type: "string",
    description: "The CIDR to use for pod IP addresses instead of the one that the node's spec.podCIDR gives.",
  },
  "use-locally-built-images": {
    type: "bool",
    default: true,
    description:
      "An image that was built or loaded on this host, and so has no registry digest, counts as pulled under imagePullPolicy Always too.",
  },
  cleanup: {
    type: "bool",
    default: false,
    description:
      "If true, remove all that a kubelet with this root directory made (containers, cgroups, mounts, files of pods, the pod network) and exit.",
  },
  "register-node": {
    type: "bool",
    default: true,
    description: "Register the node with the API server.",
  },
  "node-labels": {
    type: "map",
    default: {},
    description:
      "Labels to add when registering the node in the cluster. Labels must be key=value pairs separated by ','.",
  },
  "register-with-taints": {
    type: "string-list",
    default: [],
    description: 'Register the node with the given list of taints (comma separated "<key>=<value>:<effect>").',
  },
  "provider-id": {
    type: "string",
    description: "Unique identifier for identifying the node in a machine database, i.e cloud provider.",
  },
  "cloud-provider": {
    type: "string",
    default: "",
    description:
      "The provider for cloud services. Set to empty string for running with no cloud provider. Set to 'external' for running with an external cloud provider.",
  },
  "cluster-dns": {
    type: "string-list",
    default: [],
    description:
      'Comma-separated list of DNS server IP address. This value is used for containers DNS server in case of Pods with "dnsPolicy=ClusterFirst".',
  },
  "cluster-domain": {
    type: "string",
    default: "cluster.local",
    description:
      "Domain for this cluster. If set, kubelet will configure all containers to search this domain in addition to the host's search domains.",
  },
  "resolv-conf": {
    type: "string",
    default: "/etc/resolv.conf",
    description: "Resolver configuration file used as the basis for the container DNS resolution configuration.",
  },
  "allowed-unsafe-sysctls": {
    type: "string-list",
    default: [],
    description:
      "Comma-separated whitelist of unsafe sysctls or unsafe sysctl patterns (ending in *). Use these at your own risk.",
  },
  "pod-logs-dir": {
    type: "string",
    default: "/var/log/pods",
    description:
      "A custom root directory path kubelet will use to place pod's log files. Links by container are made in containers beside it.",
  },
  "pod-manifest-path": {
    type: "string",
    default: "",
    description: "Path to the directory containing static pod files to run, or the path to a single static pod file.",
  },
  "manifest-url": {
    type: "string",
    default: "",
    description: "URL for accessing additional Pod specifications to run.",
  },
  "manifest-url-header": {
    type: "map",
    separator: ":",
    default: {},
    description:
      "Comma-separated list of HTTP headers to use when accessing the url provided to --manifest-url. For example: --manifest-url-header 'a:hello,b:again'.",
  },
  "http-check-frequency": {
    type: "duration",
    default: "20s",
    description: "Duration between checking http for new data.",
  },
  "sync-frequency": {
    type: "duration",
    default: "1m",
    description: "Max period between synchronizing running containers and config.",
  },
  "runtime-request-timeout": {
    type: "duration",
    default: "2m",
    description:
      "Timeout of all runtime requests except long running request - pull, logs, exec and attach. When timeout exceeded, kubelet will cancel the request, throw out an error and retry later.",
  },
  "file-check-frequency": {
    type: "duration",
    default: "20s",
    description: "Duration between checking config files for new data.",
  },
  "node-status-update-frequency": {
    type: "duration",
    default: "10s",
    description: "Specifies how often kubelet computes node status.",
  },
  "node-status-report-frequency": {
    type: "duration",
    default: "5m",
    description: "Specifies how often kubelet posts node status to the API server when it has not changed.",
  },
  "node-status-max-images": {
    type: "int",
    default: 50,
    description:
      "The maximum number of images to report in Node.Status.Images. If -1 is specified, no cap will be applied.",
  },
  "node-lease-duration-seconds": {
    type: "int",
    default: 40,
    description: "How long the node's Lease is valid; it is renewed at a quarter of that.",
  },
  "shutdown-grace-period": {
    type: "duration",
    default: "0s",
    description:
      "How long the node's shutdown, which a SIGPWR to the kubelet begins, waits for its pods to end. 0: not at all.",
  },
  "shutdown-grace-period-critical-pods": {
    type: "duration",
    default: "0s",
    description: "The last part of --shutdown-grace-period, which is for critical pods.",
  },
  ...serverFlags,
  ...resourceFlags,
} as const satisfies Record<string, Flag>;
