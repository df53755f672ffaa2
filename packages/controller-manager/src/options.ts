// The flags of kube-controller-manager, with upstream's names and defaults.

import type { Flag, FlagValues } from "@picokube/component-base/flag-set";
import { leaderElectionFlags } from "@picokube/component-base/leader-election-flags";

const syncs = (what: string, count = 5) =>
  ({
    type: "int",
    default: count,
    description: `The number of ${what} that are allowed to sync concurrently. Larger number = more responsive, but more CPU and network load.`,
  }) as const;

const signerFiles = <Name extends string>(name: Name, signer: string) =>
  ({
    [`cluster-signing-${name}-cert-file`]: {
      type: "string",
      description: `Filename containing a PEM-encoded X509 CA certificate used to issue certificates for the ${signer} signer.`,
    },
    [`cluster-signing-${name}-key-file`]: {
      type: "string",
      description: `Filename containing a PEM-encoded private key used to sign certificates for the ${signer} signer.`,
    },
  }) as {
    [key in `cluster-signing-${Name}-${"cert" | "key"}-file`]: {
      readonly type: "string";
      readonly description: string;
    };
  };

export const flags = {
  kubeconfig: {
    type: "string",
    description: "Path to kubeconfig file with authorization and master location information.",
  },
  controllers: {
    type: "string-list",
    default: ["*"],
    description:
      "A list of controllers to enable. '*' enables all on-by-default controllers, 'foo' enables the controller named 'foo', '-foo' disables the controller named 'foo'.",
  },
  "bind-address": {
    type: "string",
    default: "0.0.0.0",
    description: "The IP address on which to listen for the --secure-port port.",
  },
  "secure-port": {
    type: "int",
    default: 10257,
    description:
      "The port on which to serve HTTPS with authentication and authorization. If 0, don't serve HTTPS at all.",
  },
  "tls-cert-file": {
    type: "string",
    description:
      "File containing the default x509 Certificate for HTTPS. If HTTPS serving is enabled, and --tls-cert-file and --tls-private-key-file are not provided, a self-signed certificate and key are generated and kept in memory.",
  },
  "tls-private-key-file": {
    type: "string",
    description: "File containing the default x509 private key matching --tls-cert-file.",
  },
  "client-ca-file": {
    type: "string",
    description:
      "If set, any request presenting a client certificate signed by one of the authorities in the client-ca-file is authenticated with an identity corresponding to the CommonName of the client certificate.",
  },
  ...leaderElectionFlags("kube-controller-manager"),
  "kube-api-qps": { type: "int", default: 20, description: "QPS to use while talking with kubernetes apiserver." },
  "kube-api-burst": { type: "int", default: 30, description: "Burst to use while talking with kubernetes apiserver." },
  "cluster-cidr": {
    type: "string",
    default: "10.244.0.0/16",
    description:
      "CIDR Range for Pods in cluster. Only used when --allocate-node-cidrs=true; if false, this option will be ignored.",
  },
  "node-cidr-mask-size": { type: "int", default: 24, description: "Mask size for node cidr in cluster." },
  "allocate-node-cidrs": {
    type: "bool",
    default: true,
    description: "Should CIDRs for Pods be allocated and set on the nodes.",
  },
  "service-cluster-ip-range": {
    type: "string",
    description: "CIDR Range for Services in cluster. Node CIDRs that overlap it are never handed out.",
  },
  "load-balancer-addresses": {
    type: "string-list",
    default: [],
    description:
      "Addresses, ranges (first-last) and CIDRs that service-lb-controller gives to Services of type LoadBalancer, one to each. One node's kubelet tells its link where the address is; who is beyond that link needs a route to it. Empty: the nodes' own addresses are given, to all Services whose ports do not meet.",
  },
  "use-service-account-credentials": {
    type: "bool",
    default: true,
    description:
      "If true, use individual service account credentials for each controller. (Upstream's default is false; here each controller may do only what its own role allows unless told otherwise.)",
  },
  "cluster-signing-cert-file": {
    type: "string",
    description:
      "Filename containing a PEM-encoded X509 CA certificate used to issue cluster-scoped certificates. If specified, no more specific --cluster-signing-* flag may be specified for the same signer.",
  },
  "cluster-signing-key-file": {
    type: "string",
    description:
      "Filename containing a PEM-encoded RSA, ECDSA or Ed25519 private key used to sign cluster-scoped certificates.",
  },
  "cluster-signing-duration": {
    type: "duration",
    default: "8760h0m0s",
    description:
      "The max length of duration signed certificates will be given. Individual CSRs may request shorter certs by setting spec.expirationSeconds.",
  },
  ...signerFiles("kubelet-serving", "kubernetes.io/kubelet-serving"),
  ...signerFiles("kubelet-client", "kubernetes.io/kube-apiserver-client-kubelet"),
  ...signerFiles("kube-apiserver-client", "kubernetes.io/kube-apiserver-client"),
  ...signerFiles("legacy-unknown", "kubernetes.io/legacy-unknown"),
  "root-ca-file": {
    type: "string",
    description:
      "If set, this root certificate authority will be included in service account's token secret. This must be a valid PEM-encoded CA bundle.",
  },
  "service-account-private-key-file": {
    type: "string",
    description: "Filename containing a PEM-encoded private RSA or ECDSA key used to sign service account tokens.",
  },
  "node-monitor-period": {
    type: "duration",
    default: "5s",
    description: "The period for syncing NodeStatus in cloud-node-lifecycle-controller.",
  },
  "node-monitor-grace-period": {
    type: "duration",
    default: "50s",
    description:
      "Amount of time which we allow running Node to be unresponsive before marking it unhealthy. Must be N times more than kubelet's nodeStatusUpdateFrequency, where N means number of retries allowed for kubelet to post node status. This value should also be greater than the sum of HTTP2_PING_TIMEOUT_SECONDS and HTTP2_READ_IDLE_TIMEOUT_SECONDS.",
  },
  "node-startup-grace-period": {
    type: "duration",
    default: "1m",
    description: "Amount of time which we allow starting Node to be unresponsive before marking it unhealthy.",
  },
  "node-eviction-rate": {
    type: "string",
    default: "0.1",
    description:
      "Number of nodes per second on which pods are deleted in case of node failure when a zone is healthy (see --unhealthy-zone-threshold for definition of healthy/unhealthy). Zone refers to entire cluster in non-multizone clusters.",
  },
  "secondary-node-eviction-rate": {
    type: "string",
    default: "0.01",
    description:
      "Number of nodes per second on which pods are deleted in case of node failure when a zone is unhealthy (see --unhealthy-zone-threshold for definition of healthy/unhealthy). Zone refers to entire cluster in non-multizone clusters. This value is implicitly overridden to 0 if the cluster size is smaller than --large-cluster-size-threshold.",
  },
  "unhealthy-zone-threshold": {
    type: "string",
    default: "0.55",
    description:
      "Fraction of Nodes in a zone which needs to be not Ready (minimum 3) for zone to be treated as unhealthy.",
  },
  "large-cluster-size-threshold": {
    type: "int",
    default: 50,
    description:
      "Number of nodes from which node-lifecycle-controller treats the cluster as large for the eviction logic purposes. --secondary-node-eviction-rate is implicitly overridden to 0 for clusters this size or smaller. Notice: If nodes reside in multiple zones, this threshold will be considered as zone node size threshold for each zone to determine node eviction rate independently.",
  },
  "terminated-pod-gc-threshold": {
    type: "int",
    default: 12500,
    description:
      "Number of terminated pods that can exist before the terminated pod garbage collector starts deleting terminated pods. If <= 0, the terminated pod garbage collector is disabled.",
  },
  "concurrent-deployment-syncs": syncs("deployment objects"),
  "concurrent-replicaset-syncs": syncs("replica sets"),
  "concurrent-rc-syncs": syncs("replication controllers"),
  "concurrent-statefulset-syncs": syncs("statefulset objects"),
  "concurrent-daemonset-syncs": syncs("daemonset objects", 2),
  "concurrent-job-syncs": syncs("job objects"),
  "concurrent-cron-job-syncs": syncs("cron job objects"),
  "concurrent-ttl-after-finished-syncs": syncs("ttl-after-finished-controller workers"),
  "concurrent-endpoint-syncs": syncs("endpoint syncing operations"),
  "concurrent-service-endpoint-syncs": syncs("service endpoint syncing operations"),
  "concurrent-namespace-syncs": syncs("namespace objects", 10),
  "concurrent-serviceaccount-token-syncs": syncs("service account token objects"),
  "concurrent-ephemeralvolume-syncs": syncs("ephemeral volume syncing operations"),
  "concurrent-gc-syncs": syncs("garbage collector workers", 20),
  "concurrent-resource-quota-syncs": syncs("resource quotas"),
  "resource-quota-sync-period": {
    type: "duration",
    default: 300_000,
    description: "The period for syncing quota usage status in the system.",
  },
  "pvclaimbinder-sync-period": {
    type: "duration",
    default: 15_000,
    description: "The period for syncing persistent volumes and persistent volume claims.",
  },
  "pv-recycler-pod-template-filepath-nfs": {
    type: "string",
    default: "",
    description: "The file path to a pod definition used as a template for NFS persistent volume recycling.",
  },
  "pv-recycler-minimum-timeout-nfs": {
    type: "int",
    default: 300,
    description: "The minimum ActiveDeadlineSeconds to use for an NFS Recycler pod.",
  },
  "pv-recycler-increment-timeout-nfs": {
    type: "int",
    default: 30,
    description: "The increment of time added per Gi to ActiveDeadlineSeconds for an NFS scrubber pod.",
  },
  "pv-recycler-pod-template-filepath-hostpath": {
    type: "string",
    default: "",
    description:
      "The file path to a pod definition used as a template for HostPath persistent volume recycling. This is for development and testing only and will not work in a multi-node cluster.",
  },
  "pv-recycler-minimum-timeout-hostpath": {
    type: "int",
    default: 60,
    description:
      "The minimum ActiveDeadlineSeconds to use for a HostPath Recycler pod. This is for development and testing only and will not work in a multi-node cluster.",
  },
  "pv-recycler-timeout-increment-hostpath": {
    type: "int",
    default: 30,
    description:
      "The increment of time added per Gi to ActiveDeadlineSeconds for a HostPath scrubber pod. This is for development and testing only and will not work in a multi-node cluster.",
  },
  "max-endpoints-per-slice": {
    type: "int",
    default: 100,
    description:
      "The maximum number of endpoints that will be added to an EndpointSlice. More endpoints per slice will result in less endpoint slices, but larger resources.",
  },
  "endpoint-updates-batch-period": {
    type: "duration",
    default: "0s",
    description:
      "The length of endpoint updates batching period. Processing of pod changes will be delayed by this duration to join them with potential upcoming updates and reduce the overall number of endpoints updates. Larger number = higher endpoint programming latency, but lower number of endpoints revision generated",
  },
  "endpointslice-updates-batch-period": {
    type: "duration",
    default: "0s",
    description:
      "The length of endpoint slice updates batching period. Processing of pod changes will be delayed by this duration to join them with potential upcoming updates and reduce the overall number of endpoints updates. Larger number = higher endpoint programming latency, but lower number of endpoints revision generated",
  },
  "mirroring-concurrent-service-endpoint-syncs": {
    type: "int",
    default: 5,
    description:
      "The number of service endpoint syncing operations that will be done concurrently by the endpointslice-mirroring-controller. Larger number = faster endpoint slice updating, but more CPU (and network) load.",
  },
  "mirroring-max-endpoints-per-subset": {
    type: "int",
    default: 1000,
    description:
      "The maximum number of endpoints that will be added to an EndpointSlice by the endpointslice-mirroring-controller. More endpoints per slice will result in less endpoint slices, but larger resources.",
  },
  "mirroring-endpointslice-updates-batch-period": {
    type: "duration",
    default: "0s",
    description:
      "The length of EndpointSlice updates batching period for EndpointSliceMirroring controller. Processing of EndpointSlice changes will be delayed by this duration to join them with potential upcoming updates and reduce the overall number of EndpointSlice updates. Larger number = higher endpoint programming latency, but lower number of endpoints revision generated",
  },
} as const satisfies Record<string, Flag>;

/** The flags' values. */
export type ControllerManagerValues = FlagValues<typeof flags>;
