// The configuration files that `up` writes for the components, in upstream's formats. Pure: returns texts.

import { stringify } from "yaml";
import { type Cluster, pathsOf, staticPodPathOf } from "./cluster.js";
import { dnsVip } from "./components.js";

/** The machine and its swap, the engine and its disk are the user's, with images of other work on them: as kind does, nothing of theirs is collected,
 *  and no pod goes because their disk is full. */
export const hostKeeping = {
  failSwapOn: false,
  imageGCHighThresholdPercent: 100,
  evictionHard: {
    "memory.available": "100Mi",
    "nodefs.available": "0%",
    "nodefs.inodesFree": "0%",
    "imagefs.available": "0%",
    "imagefs.inodesFree": "0%",
  },
} as const;

/** File name → content, for the cluster's config directory. */
export function configFiles(cluster: Cluster): Record<string, string> {
  const { pki, kubeconfigs } = pathsOf(cluster);
  const files = {
    "kubelet.yaml": {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      address: "0.0.0.0",
      port: cluster.ports.kubelet,
      healthzBindAddress: "127.0.0.1",
      healthzPort: cluster.ports.kubeletHealth,
      tlsCertFile: `${pki}/kubelet.crt`,
      tlsPrivateKeyFile: `${pki}/kubelet.key`,
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: `${pki}/ca.crt` },
      },
      authorization: { mode: "Webhook" },
      clusterDNS: [dnsVip(cluster)],
      clusterDomain: cluster.clusterDomain,
      staticPodPath: staticPodPathOf(cluster),
      ...hostKeeping,
    },
    "kube-proxy.yaml": {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clientConnection: { kubeconfig: `${kubeconfigs}/kube-proxy.kubeconfig` },
      mode: "iptables",
      clusterCIDR: cluster.podCidr,
      metricsBindAddress: `127.0.0.1:${cluster.ports.proxyMetrics}`,
      healthzBindAddress: `0.0.0.0:${cluster.ports.proxyHealth}`,
      // The connection table is the whole host's, and other clusters may share it: it stays as it is.
      conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
    },
    "kube-scheduler.yaml": {
      apiVersion: "kubescheduler.config.k8s.io/v1",
      kind: "KubeSchedulerConfiguration",
      clientConnection: { kubeconfig: `${kubeconfigs}/kube-scheduler.kubeconfig` },
      leaderElection: { leaderElect: true },
    },
  };
  return Object.fromEntries(Object.entries(files).map(([name, value]) => [name, stringify(value)]));
}
