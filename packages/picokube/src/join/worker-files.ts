// The configuration files of a joined machine: the cluster's own, as its ConfigMaps hold them, with this machine's paths and
// ports in them (kubeadm join writes /var/lib/kubelet/config.yaml so). Pure: returns texts.

import { ConfigError } from "@picokube/component-base/config-error";
import { parse, stringify } from "yaml";
import { type Cluster, pathsOf, staticPodPathOf } from "../cluster/cluster.js";
import { kubeletKubeconfig } from "../cluster/components.js";
import type { Discovered } from "./discovery.js";

/** The files' texts as the cluster keeps them. */
export interface ClusterConfigs {
  /** kubeadm's ClusterConfiguration. */
  readonly cluster: string;
  readonly kubelet: string;
  readonly proxy: string;
}

/** What a joining machine must know of the cluster to take part. */
export interface ClusterNetworking {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly clusterDomain: string;
}

function document(text: string, kind: string): Record<string, unknown> {
  const value = parse(text) as Record<string, unknown> | null;
  if (value?.kind !== kind)
    throw new ConfigError(`the cluster's ${kind} is damaged: run picokube up once more on the first machine`);
  return value;
}

/** Throws ConfigError when the ClusterConfiguration does not say. */
export function readNetworking(text: string): ClusterNetworking {
  const { networking } = document(text, "ClusterConfiguration") as {
    networking?: { podSubnet?: string; serviceSubnet?: string; dnsDomain?: string };
  };
  const { podSubnet, serviceSubnet, dnsDomain = "cluster.local" } = networking ?? {};
  if (!podSubnet || !serviceSubnet)
    throw new ConfigError("the cluster's ClusterConfiguration names no podSubnet and serviceSubnet");
  return { podCidr: podSubnet, serviceCidr: serviceSubnet, clusterDomain: dnsDomain };
}

/** File name → content, for the machine's config directory. */
export function workerConfigFiles(cluster: Cluster, configs: ClusterConfigs): Record<string, string> {
  const { pki } = pathsOf(cluster);
  const { ports } = cluster;
  const kubelet = document(configs.kubelet, "KubeletConfiguration") as { authentication?: object };
  const proxy = document(configs.proxy, "KubeProxyConfiguration");
  return {
    "kubelet.yaml": stringify({
      ...kubelet,
      port: ports.kubelet,
      healthzPort: ports.kubeletHealth,
      staticPodPath: staticPodPathOf(cluster),
      authentication: { ...kubelet.authentication, x509: { clientCAFile: `${pki}/ca.crt` } },
    }),
    "kube-proxy.yaml": stringify({
      ...proxy,
      clientConnection: { kubeconfig: kubeletKubeconfig(cluster) },
      metricsBindAddress: `127.0.0.1:${ports.proxyMetrics}`,
      healthzBindAddress: `0.0.0.0:${ports.proxyHealth}`,
    }),
  };
}

/** What the kubelet asks for its certificate with: the token, and the CA that discovery proved. */
export function bootstrapKubeconfig({ server, ca }: Discovered, token: string): string {
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      { name: "kubernetes", cluster: { "certificate-authority-data": Buffer.from(ca).toString("base64"), server } },
    ],
    users: [{ name: "tls-bootstrap-token-user", user: { token } }],
    contexts: [
      {
        name: "tls-bootstrap-token-user@kubernetes",
        context: { cluster: "kubernetes", user: "tls-bootstrap-token-user" },
      },
    ],
    "current-context": "tls-bootstrap-token-user@kubernetes",
  });
}
