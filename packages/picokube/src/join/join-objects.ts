// What a cluster must hold so that machines can join it, as kubeadm's bootstrap-token, upload-config and kube-proxy phases
// leave it: who may ask for certificates, who may read which configuration. Pure: returns objects.

import { type ConfigMap, configmaps, serviceaccounts } from "@picokube/api/core/v1";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import { clusterrolebindings, clusterroles, rolebindings, roles } from "@picokube/api/rbac/v1";
import type { Resource } from "@picokube/api/resource";
import { stringify } from "yaml";
import type { Cluster } from "../cluster/cluster.js";
import { dnsVip } from "../cluster/components.js";
import { hostKeeping } from "../cluster/config-files.js";
import { bootstrapGroup, clusterInfo, configMapNames } from "./names.js";

export interface Wanted {
  // The kinds differ; each object is of its resource's.
  // biome-ignore lint/suspicious/noExplicitAny: a list of several kinds
  readonly resource: Resource<any>;
  readonly object: Pick<KubernetesObject, "metadata"> & Record<string, unknown>;
}

const apiGroup = "rbac.authorization.k8s.io";
const group = (name: string) => ({ kind: "Group", apiGroup, name });
const nodesGroup = group("system:nodes");
const joinersGroup = group(bootstrapGroup);
const proxyAccount = { namespace: "kube-system", name: "kube-proxy" };
const approverAccount = { namespace: "kube-system", name: "kubelet-serving-approver" };
const csrRole = "system:certificates.k8s.io:certificatesigningrequests";

/** Everything, in an order in which it can be created. */
export function joinObjects(cluster: Cluster, ca: string): Wanted[] {
  return [...configObjects(cluster, ca), ...rights()];
}

function rights(): Wanted[] {
  const clusterRole = (name: string, rules: object[]): Wanted => ({
    resource: clusterroles,
    object: { metadata: { name } as never, rules },
  });
  const clusterBinding = (name: string, role: string, subjects: object[]): Wanted => ({
    resource: clusterrolebindings,
    object: { metadata: { name } as never, roleRef: { apiGroup, kind: "ClusterRole", name: role }, subjects },
  });
  const readable = (
    { namespace, name }: { namespace: string; name: string },
    as: string,
    subjects: object[],
  ): Wanted[] => {
    const metadata = { namespace, name: as } as never;
    const rules = [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [name], verbs: ["get"] }];
    return [
      { resource: roles, object: { metadata, rules } },
      { resource: rolebindings, object: { metadata, roleRef: { apiGroup, kind: "Role", name: as }, subjects } },
    ];
  };
  return [
    clusterBinding("kubeadm:kubelet-bootstrap", "system:node-bootstrapper", [joinersGroup]),
    clusterBinding("kubeadm:node-autoapprove-bootstrap", `${csrRole}:nodeclient`, [joinersGroup]),
    clusterBinding("kubeadm:node-autoapprove-certificate-rotation", `${csrRole}:selfnodeclient`, [nodesGroup]),
    clusterRole("kubeadm:get-nodes", [{ apiGroups: [""], resources: ["nodes"], verbs: ["get"] }]),
    clusterBinding("kubeadm:get-nodes", "kubeadm:get-nodes", [joinersGroup]),
    ...readable(clusterInfo, "kubeadm:bootstrap-signer-clusterinfo", [
      { kind: "User", apiGroup, name: "system:anonymous" },
    ]),
    ...readable(configMapNames.cluster, "kubeadm:nodes-kubeadm-config", [joinersGroup, nodesGroup]),
    ...readable(configMapNames.kubelet, "kubeadm:kubelet-config", [nodesGroup, joinersGroup]),
    ...readable(configMapNames.proxy, "kube-proxy", [joinersGroup]),
    { resource: serviceaccounts, object: { metadata: proxyAccount as never } },
    clusterBinding("kubeadm:node-proxier", "system:node-proxier", [{ kind: "ServiceAccount", ...proxyAccount }]),
    // A joined machine's kube-proxy is a process beside its kubelet, not a pod with an account: it comes as its node.
    clusterBinding("picokube:node-proxier", "system:node-proxier", [nodesGroup]),
    // What kubelets of joined machines serve with is approved without a person where it names their own Node alone.
    { resource: serviceaccounts, object: { metadata: approverAccount as never } },
    clusterRole("picokube:kubelet-serving-approver", [
      {
        apiGroups: ["certificates.k8s.io"],
        resources: ["certificatesigningrequests"],
        verbs: ["get", "list", "watch"],
      },
      {
        apiGroups: ["certificates.k8s.io"],
        resources: ["certificatesigningrequests/approval"],
        verbs: ["update"],
      },
      {
        apiGroups: ["certificates.k8s.io"],
        resources: ["signers"],
        resourceNames: ["kubernetes.io/kubelet-serving"],
        verbs: ["approve"],
      },
      { apiGroups: [""], resources: ["nodes"], verbs: ["get", "list", "watch"] },
      // Whose addresses are nobody else's.
      { apiGroups: [""], resources: ["endpoints", "services"], resourceNames: ["kubernetes"], verbs: ["get"] },
    ]),
    clusterBinding("picokube:kubelet-serving-approver", "picokube:kubelet-serving-approver", [
      { kind: "ServiceAccount", ...approverAccount },
    ]),
    // NodeRestriction keeps each node to its own Node; this lets `picokube leave` take that away.
    clusterRole("picokube:node-leave", [{ apiGroups: [""], resources: ["nodes"], verbs: ["delete"] }]),
    clusterBinding("picokube:node-leave", "picokube:node-leave", [nodesGroup]),
  ];
}

function configObjects(cluster: Cluster, ca: string): Wanted[] {
  const { nodeIp, ports } = cluster;
  const endpoint = `${nodeIp}:${ports.securePort}`;
  const configMap = (
    { namespace, name, key }: { namespace: string; name: string; key: string },
    value: object,
  ): Wanted => ({
    resource: configmaps,
    object: { metadata: { namespace, name } as never, data: { [key]: stringify(value) } },
  });
  return [
    configMap({ ...clusterInfo, key: "kubeconfig" }, clusterInfoKubeconfig(`https://${endpoint}`, ca)),
    configMap(configMapNames.cluster, {
      apiVersion: "kubeadm.k8s.io/v1beta4",
      kind: "ClusterConfiguration",
      clusterName: cluster.name,
      controlPlaneEndpoint: endpoint,
      kubernetesVersion: "v1.33.0",
      networking: {
        dnsDomain: cluster.clusterDomain,
        podSubnet: cluster.podCidr,
        serviceSubnet: cluster.serviceCidr,
      },
    }),
    configMap(configMapNames.kubelet, {
      apiVersion: "kubelet.config.k8s.io/v1beta1",
      kind: "KubeletConfiguration",
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: "/etc/kubernetes/pki/ca.crt" },
      },
      authorization: { mode: "Webhook" },
      clusterDNS: [dnsVip(cluster)],
      clusterDomain: cluster.clusterDomain,
      staticPodPath: "/etc/kubernetes/manifests",
      rotateCertificates: true,
      // The API server checks what kubelets serve with.
      serverTLSBootstrap: true,
      ...hostKeeping,
    }),
    configMap(configMapNames.proxy, {
      apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
      kind: "KubeProxyConfiguration",
      clientConnection: { kubeconfig: "/var/lib/kube-proxy/kubeconfig.conf" },
      mode: "iptables",
      clusterCIDR: cluster.podCidr,
    }),
  ];
}

/** One cluster and nobody's credentials, as kubeadm writes it. */
function clusterInfoKubeconfig(server: string, ca: string): object {
  const cluster = { "certificate-authority-data": Buffer.from(ca).toString("base64"), server };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "", cluster }],
    contexts: null,
    "current-context": "",
    preferences: {},
    users: null,
  };
}

/** What of the wanted object the found one lacks or has otherwise; undefined when it is all there. Signatures of cluster-info stay. */
export function repaired(found: ConfigMap & Record<string, unknown>, { object }: Wanted): KubernetesObject | undefined {
  const { data, rules, subjects } = object as { data?: object; rules?: object[]; subjects?: object[] };
  const wanted = {
    ...found,
    ...(data ? { data: { ...found.data, ...data } } : {}),
    ...(rules ? { rules } : {}),
    ...(subjects ? { subjects } : {}),
  };
  return JSON.stringify(wanted) === JSON.stringify(found) ? undefined : (wanted as unknown as KubernetesObject);
}
