// The names that join and the control plane share: kubeadm's, so that what is known of kubeadm holds here. Data alone.

/** Whoever comes with a token of picokube's making is of this group. */
export const bootstrapGroup = "system:bootstrappers:kubeadm:default-node-token";
export const clusterInfo = { namespace: "kube-public", name: "cluster-info" } as const;
/** Each holds one configuration file, under its key. */
export const configMapNames = {
  cluster: { namespace: "kube-system", name: "kubeadm-config", key: "ClusterConfiguration" },
  kubelet: { namespace: "kube-system", name: "kubelet-config", key: "kubelet" },
  proxy: { namespace: "kube-system", name: "kube-proxy", key: "config.conf" },
} as const;
