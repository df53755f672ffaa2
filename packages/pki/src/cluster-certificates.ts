// Which certificates a cluster has: kubeadm's files and subjects. Makes what is missing and what no longer fits.

import { hostname } from "node:os";
import { ensureCa, ensureServiceAccountKey } from "./ca.js";
import { type CertificateSubject, issueCertificate, reasonToReissue } from "./certificate.js";
import { readKeyPair, writeKeyPair } from "./pem.js";

/** What the certificates must name. */
export interface ClusterNames {
  readonly nodeName: string;
  readonly nodeIps: readonly string[];
  /** The first address of the service range. */
  readonly serviceIp: string;
  readonly clusterDomain: string;
  /** More names and addresses of the API server, as kubeadm's --apiserver-cert-extra-sans. */
  readonly extraNames?: readonly string[];
}

interface Leaf {
  readonly name: string;
  readonly ca: "ca" | "front-proxy-ca";
  readonly subject: CertificateSubject;
}

const unique = (names: readonly string[]) => [...new Set(names)];

/** Every leaf certificate of a control plane and of its own node. */
export function clusterLeafs({ nodeName, nodeIps, serviceIp, clusterDomain, extraNames = [] }: ClusterNames): Leaf[] {
  const local = ["localhost", "127.0.0.1"];
  const host = unique([nodeName, hostname().toLowerCase(), ...local, ...nodeIps]);
  const client = (name: string, commonName: string, organizations: readonly string[] = []): Leaf => ({
    name,
    ca: "ca",
    subject: { commonName, organizations, usages: ["client"] },
  });
  // A control plane component shows one certificate to its callers and to the API server.
  const component = (name: string): Leaf => ({
    name,
    ca: "ca",
    subject: { commonName: `system:${name}`, usages: ["server", "client"], names: host },
  });
  return [
    {
      name: "apiserver",
      ca: "ca",
      subject: {
        commonName: "kube-apiserver",
        usages: ["server"],
        names: unique([
          "kubernetes",
          "kubernetes.default",
          "kubernetes.default.svc",
          `kubernetes.default.svc.${clusterDomain}`,
          serviceIp,
          ...host,
          ...extraNames,
        ]),
      },
    },
    client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", ["system:masters"]),
    {
      name: "front-proxy-client",
      ca: "front-proxy-ca",
      subject: { commonName: "front-proxy-client", usages: ["client"] },
    },
    component("kube-controller-manager"),
    component("kube-scheduler"),
    client("admin", "kubernetes-admin", ["system:masters"]),
    client("kube-proxy", "system:kube-proxy"),
    client("cluster-dns", "system:cluster-dns"),
    ...nodeLeafs({ nodeName, nodeIps }),
  ];
}

/** The two certificates of a node: what its kubelet serves with, and what it is to the API server. */
export function nodeLeafs({ nodeName, nodeIps }: Pick<ClusterNames, "nodeName" | "nodeIps">): Leaf[] {
  const identity = { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"] };
  return [
    { name: "kubelet-client", ca: "ca", subject: { ...identity, usages: ["client"] } },
    {
      name: "kubelet",
      ca: "ca",
      subject: { ...identity, usages: ["server"], names: unique([nodeName, "localhost", "127.0.0.1", ...nodeIps]) },
    },
  ];
}

/** Makes all that is missing or no longer fits, in kubeadm's layout; returns what was issued and why. CAs are never replaced. */
export async function ensureClusterPki({
  directory,
  nowMs = Date.now(),
  ...names
}: ClusterNames & { readonly directory: string; readonly nowMs?: number }): Promise<
  { name: string; reason: string }[]
> {
  const [ca, frontProxyCa] = await Promise.all([
    ensureCa({ directory, name: "ca", commonName: "kubernetes", nowMs }),
    ensureCa({ directory, name: "front-proxy-ca", commonName: "front-proxy-ca", nowMs }),
    ensureServiceAccountKey(directory),
  ]);
  const issued: { name: string; reason: string }[] = [];
  for (const leaf of clusterLeafs(names)) {
    const context = { ca: leaf.ca === "ca" ? ca : frontProxyCa, subject: leaf.subject, nowMs };
    const reason = reasonToReissue({ pair: readKeyPair(directory, leaf.name), ...context });
    if (reason === undefined) continue;
    writeKeyPair(directory, leaf.name, await issueCertificate(context));
    issued.push({ name: leaf.name, reason });
  }
  return issued;
}
