// A kubelet without credentials gets its first: by the bootstrap kubeconfig it asks for a client certificate, waits until it
// is approved, and writes the kubeconfig that names it (upstream: kubelet/certificate/bootstrap). Rotation is the manager's.

import { createHash, createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Kubeconfig, loadKubeconfig, type Pem } from "@picokube/client/kubeconfig";
import { createClient } from "@picokube/client/rest-client";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { nodeTemplate } from "./certificate-plan.js";
import type { CertificateStore } from "./certificate-store.js";
import { submitRequest, waitForCertificate } from "./request-certificate.js";

export const clientSigner = "kubernetes.io/kube-apiserver-client-kubelet";
export const clientUsages = ["digital signature", "client auth"] as const;

const serverWaitMs = 60_000;
const certificateWaitMs = 3_600_000;

export interface BootstrapOptions {
  readonly kubeconfig: string;
  readonly bootstrapKubeconfig: string;
  readonly certDirectory: string;
  readonly store: CertificateStore;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Returns at once when the kubeconfig's certificate still holds. Throws when the request is refused (LoadClientCert). */
export async function bootstrapClientCertificate(options: BootstrapOptions, signal: AbortSignal): Promise<void> {
  const { kubeconfig, bootstrapKubeconfig, certDirectory, store, nodeName, clock, logger } = options;
  const fault = kubeconfigFault(kubeconfig, clock.now());
  if (fault === undefined) return;
  logger.info("Using bootstrap kubeconfig to generate TLS client cert, key and kubeconfig file", { reason: fault });
  const credentials = loadKubeconfig(bootstrapKubeconfig);
  const keyPath = join(certDirectory, "kubelet-client.key.tmp");
  const keyPem = await keptKey(keyPath);
  const { createCertificateRequest } = await import("@picokube/pki/certificate-request");
  const { importKeyPair } = await import("@picokube/pki/signing-key");
  const { commonName, organizations } = nodeTemplate(nodeName);
  const { request } = await createCertificateRequest({ commonName, organizations, keys: await importKeyPair(keyPem) });
  const client = createClient({ kubeconfig: credentials, userAgent: "kubelet/v1.33.0" });
  try {
    await untilServerAnswers(client, { clock, logger }, signal);
    const order = { client, request, signerName: clientSigner, usages: clientUsages, clock };
    const submitted = await submitRequest({ ...order, name: requestName(keyPem, nodeName) }, signal);
    logger.info("Waiting for client certificate to be issued", { csr: submitted.name });
    const patience = AbortSignal.any([signal, AbortSignal.timeout(certificateWaitMs)]);
    const cert = await waitForCertificate(order, submitted, patience);
    store.update({ cert, key: keyPem, nowMs: clock.now() });
  } finally {
    await client.close();
  }
  rmSync(keyPath, { force: true });
  writeKubeconfigFor(kubeconfig, { credentials, certificate: store.currentPath });
}

/** Why the kubeconfig cannot be used; undefined when its client certificate still holds (isClientConfigStillValid). */
export function kubeconfigFault(path: string, nowMs: number): string | undefined {
  if (!existsSync(path)) return "there is no kubeconfig";
  try {
    const { cert } = loadKubeconfig(path);
    if (cert === undefined)
      return `unable to read TLS certificates from existing bootstrap client config read from ${path}`;
    const { validTo } = new X509Certificate(textOf(cert));
    return Date.parse(validTo) <= nowMs
      ? `part of the existing bootstrap client certificate in ${path} is expired: ${validTo}`
      : undefined;
  } catch (error) {
    return `unable to read existing bootstrap client config from ${path}: ${(error as Error).message}`;
  }
}

function textOf(pem: Pem): string {
  return "pem" in pem ? pem.pem : readFileSync(pem.file, "utf8");
}

/** The key is kept until its certificate is there: a kubelet that starts anew meanwhile asks for the same once more. */
async function keptKey(path: string): Promise<string> {
  try {
    const kept = readFileSync(path, "utf8");
    createPrivateKey(kept);
    return kept;
  } catch {
    const { exportPrivateKey, generateKey } = await import("@picokube/pki/certificate");
    const key = await exportPrivateKey((await generateKey()).privateKey);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, key, { mode: 0o600 });
    return key;
  }
}

/** The same for the same key and node, so that a request is found again (digestedName). */
function requestName(keyPem: string, nodeName: string): string {
  const { commonName, organizations } = nodeTemplate(nodeName);
  const hash = createHash("sha512-256");
  const publicKey = createPublicKey(keyPem).export({ type: "spki", format: "der" });
  for (const part of [publicKey, commonName, ...organizations, ...clientUsages])
    hash.update(`${Buffer.from(part).toString("base64url")}|`);
  return `node-csr-${hash.digest("base64url")}`;
}

async function untilServerAnswers(
  client: ReturnType<typeof createClient>,
  { clock, logger }: Pick<BootstrapOptions, "clock" | "logger">,
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = clock.now() + serverWaitMs;
  for (;;) {
    try {
      const { status, body } = await client.raw({ method: "GET", path: "/healthz", signal });
      body.resume();
      if (status === 200) return;
    } catch (err) {
      if (signal.aborted) throw err;
      logger.info("Failed to connect to apiserver", { err });
    }
    if (clock.now() > deadlineMs) return logger.info("Error waiting for apiserver to come up");
    await clock.sleep(1_000, signal);
  }
}

/** As upstream's writeKubeconfigFromBootstrapping: the bootstrap's cluster, and the store's current certificate. */
function writeKubeconfigFor(
  path: string,
  { credentials, certificate }: { credentials: Kubeconfig; certificate: string },
): void {
  const { server, ca, insecureSkipTlsVerify, tlsServerName } = credentials;
  const cluster = {
    server,
    ...(ca && "file" in ca ? { "certificate-authority": ca.file } : {}),
    ...(ca && "pem" in ca ? { "certificate-authority-data": Buffer.from(ca.pem).toString("base64") } : {}),
    ...(insecureSkipTlsVerify ? { "insecure-skip-tls-verify": true } : {}),
    ...(tlsServerName ? { "tls-server-name": tlsServerName } : {}),
  };
  // JSON is YAML too, and needs no library here.
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "default-cluster", cluster }],
    users: [{ name: "default-auth", user: { "client-certificate": certificate, "client-key": certificate } }],
    contexts: [
      { name: "default-context", context: { cluster: "default-cluster", namespace: "default", user: "default-auth" } },
    ],
    "current-context": "default-context",
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}
