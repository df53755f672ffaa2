// The certificate the kubelet serves with: the one that the API server signed, the configured files, or one of its own
// making, as upstream's.

import { readFile } from "node:fs/promises";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { type ServingTls, servingTls, staticTls } from "@picokube/component-base/tls-options";
import type { CertificateManager } from "../certificates/certificate-manager.js";
import type { StoredCertificate } from "../certificates/certificate-store.js";
import type { KubeletSettings } from "../parts.js";

/** The manager's certificate when there is one; files when both are configured; otherwise a self-signed one, made at each start. */
export async function kubeletTls(
  settings: KubeletSettings,
  { manager, clock, logger }: { manager?: CertificateManager | undefined; clock: Clock; logger: Logger },
): Promise<ServingTls> {
  const { tlsCertFile, tlsPrivateKeyFile, clientCaFile } = settings;
  const tls = manager
    ? await managedTls(manager, clientCaFile)
    : tlsCertFile && tlsPrivateKeyFile
      ? servingTls({ certFile: tlsCertFile, keyFile: tlsPrivateKeyFile, clientCaFile, logger })
      : await selfSigned(settings, clock);
  if (clientCaFile) return tls;
  // Without a CA of ours the handshake would believe the public ones: ask for no certificate at all.
  return { options: { ...tls.options, requestCert: false }, attach: (server) => tls.attach(server) };
}

/** Until the first certificate is issued every handshake fails, as upstream's ("no serving certificate available"). */
async function managedTls(manager: CertificateManager, clientCaFile: string | undefined): Promise<ServingTls> {
  const clientCa = clientCaFile ? await readFile(clientCaFile, "utf8") : undefined;
  const optionsOf = (certificate: StoredCertificate | undefined) =>
    staticTls({ cert: certificate?.cert ?? "", key: certificate?.key ?? "", clientCa }).options;
  return {
    options: optionsOf(manager.current()),
    attach: (server) => manager.onUpdate((certificate) => server.setSecureContext(optionsOf(certificate))),
  };
}

async function selfSigned({ nodeName, nodeIps, clientCaFile }: KubeletSettings, clock: Clock): Promise<ServingTls> {
  // Loaded only when needed: the x509 library is large.
  const [{ createCa }, { issueCertificate }] = await Promise.all([
    import("@picokube/pki/ca"),
    import("@picokube/pki/certificate"),
  ]);
  const nowMs = clock.now();
  const ca = await createCa({ commonName: `${nodeName}-ca@${Math.floor(nowMs / 1000)}`, nowMs });
  const names = [nodeName, ...nodeIps, "localhost", "127.0.0.1"];
  const { cert, key } = await issueCertificate({
    ca,
    subject: { commonName: `${nodeName}@${Math.floor(nowMs / 1000)}`, usages: ["server"], names },
    nowMs,
  });
  const clientCa = clientCaFile ? await readFile(clientCaFile, "utf8") : undefined;
  return staticTls({ cert: cert + ca.cert, key, clientCa });
}
