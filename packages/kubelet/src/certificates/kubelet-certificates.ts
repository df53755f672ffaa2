// The kubelet's two certificates and who keeps each fresh: what it is to the API server, and what it serves with. Settings
// say which of them are the API server's to sign.

import type { NodeAddress } from "@picokube/api/core/v1";
import type { Client } from "@picokube/client/client";
import { type Kubeconfig, loadKubeconfig } from "@picokube/client/kubeconfig";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Logger } from "@picokube/component-base/logger";
import type { Metrics } from "@picokube/component-base/metrics";
import type { KubeletOptions } from "../options.js";
import { bootstrapClientCertificate, clientSigner, clientUsages } from "./bootstrap-client-certificate.js";
import { type CertificateManager, createCertificateManager } from "./certificate-manager.js";
import { clientCertificateMetrics, servingCertificateMetrics } from "./certificate-metrics.js";
import { nodeTemplate, servingTemplate } from "./certificate-plan.js";
import { createCertificateStore, parseCertificate } from "./certificate-store.js";

interface Surroundings {
  readonly options: KubeletOptions;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How long a kubelet goes on without a valid certificate before it ends, so that its next life bootstraps anew. */
const expiredExitMs = 5 * 60 * 1000;

function clientStore({ certDir }: KubeletOptions["settings"]) {
  return createCertificateStore({ directory: certDir, prefix: "kubelet-client" });
}

/** What the kubelet connects with; bootstraps it first where that is asked for and needed. */
export async function clientCredentials(surroundings: Surroundings, signal: AbortSignal): Promise<Kubeconfig> {
  const { options, clock, logger } = surroundings;
  const { settings, kubeconfig: path, bootstrapKubeconfig } = options;
  const store = clientStore(settings);
  if (bootstrapKubeconfig !== undefined) {
    const place = { kubeconfig: path, bootstrapKubeconfig, certDirectory: settings.certDir, store };
    await bootstrapClientCertificate({ ...place, nodeName: settings.nodeName, clock, logger }, signal);
  }
  const kubeconfig = loadKubeconfig(path);
  if (!settings.rotateCertificates) return kubeconfig;
  const { cert, key } = kubeconfig;
  const current = store.current();
  if (!current || Date.parse(current.leaf.validTo) <= clock.now()) {
    if (!cert || !key)
      throw new ConfigError(
        `${path} names no client certificate that could be rotated: give one, or --bootstrap-kubeconfig`,
      );
    // A kubeconfig's own certificate is the first that the store has, and is rotated like every later one.
    const pem = await textOf(cert);
    if (!("file" in cert && cert.file === store.currentPath))
      store.update({ ...parseCertificate(pem + (await textOf(key)), path), nowMs: clock.now() });
  }
  const file = store.currentPath;
  return { ...kubeconfig, cert: { file }, key: { file } };
}

async function textOf(pem: NonNullable<Kubeconfig["cert"]>): Promise<string> {
  const { readFile } = await import("node:fs/promises");
  return "pem" in pem ? pem.pem : readFile(pem.file, "utf8");
}

/** Keeps the client certificate fresh; undefined unless rotateCertificates. The client reads the store's file anew by itself. */
export function clientCertificateManager(
  { options, clock, logger }: Surroundings,
  { client, metrics }: { client: Client; metrics: Metrics },
): CertificateManager | undefined {
  const { settings } = options;
  if (!settings.rotateCertificates) return undefined;
  const template = nodeTemplate(settings.nodeName);
  const counted = clientCertificateMetrics(metrics, { current: () => manager.current(), clock });
  const manager = createCertificateManager({
    signerName: clientSigner,
    usages: clientUsages,
    store: clientStore(settings),
    client,
    template: () => template,
    ...counted,
    clock,
    logger,
  });
  return manager;
}

/** Ends the kubelet when its certificate has been expired for five minutes (upstream: UpdateTransport's exitAfter). */
export async function exitWithoutCertificate(
  manager: CertificateManager,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  let validAtMs = clock.now();
  while (!signal.aborted) {
    if (manager.current()) validAtMs = clock.now();
    else if (clock.now() - validAtMs > expiredExitMs)
      throw new Error("No valid client certificate is found for five minutes, exiting");
    await clock.sleep(10_000, signal).catch(() => undefined);
  }
}

/** Keeps the serving certificate fresh; undefined unless serverTLSBootstrap. Somebody must approve its requests. */
export function servingCertificateManager(
  { options, clock, logger }: Surroundings,
  { client, metrics, addresses }: { client: Client; metrics: Metrics; addresses: () => readonly NodeAddress[] },
): CertificateManager | undefined {
  const { certDir, nodeName, tlsCertFile, tlsPrivateKeyFile, serverTlsBootstrap } = options.settings;
  if (!serverTlsBootstrap) return undefined;
  const counted = servingCertificateMetrics(metrics, { current: () => manager.current(), clock });
  const manager = createCertificateManager({
    signerName: "kubernetes.io/kubelet-serving",
    usages: ["digital signature", "server auth"],
    store: createCertificateStore({
      directory: certDir,
      prefix: "kubelet-server",
      certFile: tlsCertFile,
      keyFile: tlsPrivateKeyFile,
    }),
    client,
    template: () => servingTemplate(nodeName, addresses()),
    ...counted,
    clock,
    logger,
  });
  return manager;
}
