// Kubeconfig files: the administrator's with its certificate in it, the components' with the names of theirs.
// Knows nothing of what the user behind them may do.

import { join, resolve } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { stringify } from "yaml";
import { readIfPresent, readKeyPair, writeWhole } from "./pem.js";

/** One cluster, one user and the context that joins them, as they stand in a kubeconfig. */
export interface KubeconfigEntries {
  readonly clusterName: string;
  readonly userName: string;
  readonly contextName: string;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  /** PEM, or the paths of files: their reader sees it when they are renewed. */
  readonly credentials:
    | { readonly cert: string; readonly key: string }
    | { readonly certFile: string; readonly keyFile: string };
}

const base64 = (pem: string) => Buffer.from(pem).toString("base64");

/** The three named entries of a kubeconfig. */
export function kubeconfigEntries({ clusterName, userName, contextName, server, ca, credentials }: KubeconfigEntries) {
  const user =
    "cert" in credentials
      ? { "client-certificate-data": base64(credentials.cert), "client-key-data": base64(credentials.key) }
      : { "client-certificate": credentials.certFile, "client-key": credentials.keyFile };
  return {
    cluster: { name: clusterName, cluster: { "certificate-authority-data": base64(ca), server } },
    context: { name: contextName, context: { cluster: clusterName, user: userName } },
    user: { name: userName, user },
  };
}

/** A whole kubeconfig as YAML text. */
export function formatKubeconfig(entries: KubeconfigEntries): string {
  const { cluster, context, user } = kubeconfigEntries(entries);
  return stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [cluster],
      contexts: [context],
      "current-context": entries.contextName,
      preferences: {},
      users: [user],
    },
    { compat: "yaml-1.1", lineWidth: 0 },
  );
}

/** The kubeconfigs of the control plane and its node: file name, certificate and user. */
const COMPONENTS = [
  {
    name: "kube-controller-manager",
    certificate: "kube-controller-manager",
    userName: "system:kube-controller-manager",
  },
  { name: "kube-scheduler", certificate: "kube-scheduler", userName: "system:kube-scheduler" },
  { name: "kube-proxy", certificate: "kube-proxy", userName: "system:kube-proxy" },
  { name: "cluster-dns", certificate: "cluster-dns", userName: "system:cluster-dns" },
  { name: "kubelet", certificate: "kubelet-client", userName: "system:node" },
] as const;

/** The entries that let a certificate of the PKI's directory speak to the server. */
export function entriesFromPki({
  pkiDirectory,
  certificate,
  ...names
}: { pkiDirectory: string; certificate: string } & Pick<
  KubeconfigEntries,
  "clusterName" | "userName" | "contextName" | "server"
>): KubeconfigEntries {
  const ca = readIfPresent(join(pkiDirectory, "ca.crt"));
  const pair = readKeyPair(pkiDirectory, certificate);
  if (ca === undefined || !pair) {
    throw new ConfigError(`${pkiDirectory} lacks ca.crt, ${certificate}.crt or ${certificate}.key`);
  }
  return { ...names, ca, credentials: pair };
}

/** The same entries, with the names of the certificate's files in place of what is in them now. */
function byFile(entries: KubeconfigEntries, { directory, certificate }: { directory: string; certificate: string }) {
  const path = resolve(directory, certificate);
  return { ...entries, credentials: { certFile: `${path}.crt`, keyFile: `${path}.key` } };
}

/** Writes a kubeconfig (0600) unless it already says so. */
export function writeKubeconfig(path: string, entries: KubeconfigEntries): void {
  const text = formatKubeconfig(entries);
  if (readIfPresent(path) !== text) writeWhole(path, text, 0o600);
}

/** Those of a worker. */
const nodeComponents: readonly string[] = ["kubelet", "kube-proxy"];

export interface ClusterKubeconfigs {
  readonly pkiDirectory: string;
  readonly kubeconfigDirectory: string;
  readonly clusterName: string;
  readonly server: string;
}

/** Writes <name>.kubeconfig for every component of a cluster from the certificates that ensureClusterPki made. */
export function writeClusterKubeconfigs(options: ClusterKubeconfigs): void {
  writeKubeconfigs(options, COMPONENTS);
}

/** Writes those of a worker's components from the certificates that ensureNodePki made. */
export function writeNodeKubeconfigs(options: ClusterKubeconfigs): void {
  writeKubeconfigs(
    options,
    COMPONENTS.filter(({ name }) => nodeComponents.includes(name)),
  );
}

function writeKubeconfigs(
  { pkiDirectory, kubeconfigDirectory, clusterName, server }: ClusterKubeconfigs,
  components: readonly (typeof COMPONENTS)[number][],
): void {
  for (const { name, certificate, userName } of components) {
    const contextName = `${userName}@${clusterName}`;
    const entries = entriesFromPki({ pkiDirectory, certificate, clusterName, userName, contextName, server });
    // Components run on while certificates are renewed: they read the files again.
    const named = byFile(entries, { directory: pkiDirectory, certificate });
    writeKubeconfig(join(kubeconfigDirectory, `${name}.kubeconfig`), named);
  }
}

/** The administrator's entries: context and cluster carry the cluster's name, as in ~/.kube/config. */
export function adminEntries({
  pkiDirectory,
  clusterName,
  server,
}: {
  pkiDirectory: string;
  clusterName: string;
  server: string;
}): KubeconfigEntries {
  const userName = `${clusterName}-admin`;
  return entriesFromPki({
    pkiDirectory,
    certificate: "admin",
    clusterName,
    userName,
    contextName: clusterName,
    server,
  });
}
