// The kubelet's flags: upstream's names, defaults and words, and the few of our own. Data alone.

import type { Flag } from "@picokube/component-base/flag-set";

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
  address: { type: "string", default: "0.0.0.0", description: "The IP address for the Kubelet to serve on." },
  port: { type: "int", default: 10250, description: "The port for the Kubelet to serve on." },
  "healthz-bind-address": {
    type: "string",
    default: "127.0.0.1",
    description: "The IP address for the healthz server to serve on.",
  },
  "healthz-port": {
    type: "int",
    default: 10248,
    description: "The port of the localhost healthz endpoint (set to 0 to disable).",
  },
  "tls-cert-file": {
    type: "string",
    description:
      "File containing x509 Certificate used for serving HTTPS. If not provided, a self-signed certificate is generated at each start.",
  },
  "tls-private-key-file": {
    type: "string",
    description: "File containing x509 private key matching --tls-cert-file.",
  },
  "client-ca-file": {
    type: "string",
    description:
      "If set, any request presenting a client certificate signed by one of the authorities in the client-ca-file is authenticated with an identity corresponding to the CommonName of the client certificate.",
  },
  "anonymous-auth": {
    type: "bool",
    default: false,
    description: "Enables anonymous requests to the Kubelet server.",
  },
  "authentication-token-webhook": {
    type: "bool",
    default: true,
    description: "Use the TokenReview API to determine authentication for bearer tokens.",
  },
  "authorization-mode": {
    type: "string",
    default: "Webhook",
    description:
      "Authorization mode for Kubelet server. Valid options are AlwaysAllow or Webhook. Webhook mode uses the SubjectAccessReview API to determine authorization.",
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
  "max-pods": { type: "int", default: 110, description: "Number of Pods that can run on this Kubelet." },
  "pod-max-pids": {
    type: "int",
    default: -1,
    description: "Set the maximum number of processes per pod. If -1, no limit.",
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
  "container-log-max-size": {
    type: "string",
    default: "10Mi",
    description:
      "Set the maximum size (e.g. 10Mi) of container log file before it is rotated. Negative: no rotation. Holds for the engine's own log too.",
  },
  "container-log-max-files": {
    type: "int",
    default: 5,
    description:
      "Set the maximum number of container log files that can be present for a container. The number must be >= 2.",
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
  "cgroup-driver": {
    type: "string",
    description: "Driver that manipulates cgroups on the host: cgroupfs or systemd. If unset, the engine's.",
  },
  "cgroup-root": { type: "string", default: "", description: "Optional root cgroup to use for pods." },
  "cgroups-per-qos": {
    type: "bool",
    default: true,
    description: "Enable creation of QoS cgroup hierarchy: kubepods, and below it burstable and besteffort.",
  },
  "sync-frequency": {
    type: "duration",
    default: "1m",
    description: "Max period between synchronizing running containers and config.",
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
  "serialize-image-pulls": { type: "bool", default: true, description: "Pull images one at a time." },
  "max-parallel-image-pulls": {
    type: "int",
    description: "How many images are pulled at once when --serialize-image-pulls is false. Unset: no limit.",
  },
  "image-pull-progress-deadline": {
    type: "duration",
    default: "1m",
    description: "If no pulling progress is made before this deadline, the image pulling will be cancelled.",
  },
  "eviction-hard": {
    type: "map",
    separator: "<",
    default: {
      "imagefs.available": "15%",
      "imagefs.inodesFree": "5%",
      "memory.available": "100Mi",
      "nodefs.available": "10%",
      "nodefs.inodesFree": "5%",
    },
    description:
      "A set of eviction thresholds (e.g. memory.available<1Gi) that if met would trigger a pod eviction. A value of 0% switches a threshold off.",
  },
  "eviction-soft": {
    type: "map",
    separator: "<",
    default: {},
    description:
      "A set of eviction thresholds (e.g. memory.available<1.5Gi) that if met over a corresponding grace period would trigger a pod eviction.",
  },
  "eviction-soft-grace-period": {
    type: "map",
    default: {},
    description:
      "A set of eviction grace periods (e.g. memory.available=1m30s) that correspond to how long a soft eviction threshold must hold before triggering a pod eviction.",
  },
  "eviction-minimum-reclaim": {
    type: "map",
    default: {},
    description:
      "A set of minimum reclaims (e.g. imagefs.available=2Gi) that describes the minimum amount of resource the kubelet will reclaim when performing a pod eviction if that resource is under pressure.",
  },
  "eviction-pressure-transition-period": {
    type: "duration",
    default: "5m",
    description:
      "Duration for which the kubelet has to wait before transitioning out of an eviction pressure condition.",
  },
  "eviction-max-pod-grace-period": {
    type: "int",
    default: 0,
    description:
      "Maximum allowed grace period (in seconds) to use when terminating pods in response to a soft eviction threshold being met.",
  },
  "enforce-node-allocatable": {
    type: "string-list",
    default: ["pods"],
    description:
      "A comma separated list of levels of node allocatable enforcement to be enforced by kubelet. Acceptable options are 'none' and 'pods'.",
  },
  "system-reserved": {
    type: "map",
    default: {},
    description:
      "A set of ResourceName=ResourceQuantity pairs that describe resources reserved for non-kubernetes components.",
  },
  "kube-reserved": {
    type: "map",
    default: {},
    description:
      "A set of ResourceName=ResourceQuantity pairs that describe resources reserved for kubernetes system components.",
  },
  "image-gc-high-threshold": {
    type: "int",
    default: 85,
    description: "The percent of disk usage after which image garbage collection is always run.",
  },
  "image-gc-low-threshold": {
    type: "int",
    default: 80,
    description: "The percent of disk usage before which image garbage collection is never run.",
  },
  "minimum-image-ttl-duration": {
    type: "duration",
    default: "2m",
    description: "Minimum age for an unused image before it is garbage collected.",
  },
  "image-maximum-gc-age": {
    type: "duration",
    default: "0s",
    description: "How long an image may be unused before it is garbage collected. 0 switches this off.",
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
  "enable-debugging-handlers": {
    type: "bool",
    default: true,
    description: "Enables server endpoints for log collection and local running of containers and commands.",
  },
  "streaming-connection-idle-timeout": {
    type: "duration",
    default: "4h",
    description: "Maximum time a streaming connection can be idle before the connection is automatically closed.",
  },
} as const satisfies Record<string, Flag>;
