// Certificates of the kubelet's own on disk: dated files, and a link to the one in use (upstream: client-go's
// certificate_store.go). Asks nobody for certificates.

import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

/** A certificate with its key, as PEM, and what it says. */
export interface StoredCertificate {
  readonly cert: string;
  readonly key: string;
  readonly leaf: X509Certificate;
}

export interface CertificateStore {
  /** <directory>/<prefix>-current.pem: the certificate and the key in one file. */
  readonly currentPath: string;
  /** The one in use; undefined when there is none. Throws when it cannot be read. */
  current(): StoredCertificate | undefined;
  /** Writes <prefix>-<date>.pem and points the link to it. Throws when the key is another certificate's. */
  update(pair: { readonly cert: string; readonly key: string; readonly nowMs: number }): StoredCertificate;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/g;
const KEY = /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]+?-----END (?:EC |RSA )?PRIVATE KEY-----\n?/;

/** The certificate and key of PEM text. Throws when one is missing or they do not belong together. */
export function parseCertificate(pem: string, source: string): StoredCertificate {
  const cert = (pem.match(CERTIFICATE) ?? []).join("");
  const key = KEY.exec(pem)?.[0];
  if (cert === "" || key === undefined) throw new Error(`could not convert data from "${source}" into cert/key pair`);
  const leaf = new X509Certificate(cert);
  if (!leaf.checkPrivateKey(createPrivateKey(key)))
    throw new Error(
      `could not convert data from "${source}" into cert/key pair: private key does not match public key`,
    );
  return { cert, key, leaf };
}

/** The store of one kind of certificate: "kubelet-client", "kubelet-server". Makes the directory at the first write. */
export function createCertificateStore({
  directory,
  prefix,
  certFile,
  keyFile,
}: {
  directory: string;
  prefix: string;
  /** What counts as current until there is a file of the store's own. */
  certFile?: string | undefined;
  keyFile?: string | undefined;
}): CertificateStore {
  const currentPath = join(directory, `${prefix}-current.pem`);
  return {
    currentPath,
    current() {
      if (existsSync(currentPath)) return parseCertificate(readFileSync(currentPath, "utf8"), currentPath);
      if (!certFile || !keyFile || !existsSync(certFile) || !existsSync(keyFile)) return undefined;
      return parseCertificate(readFileSync(certFile, "utf8") + readFileSync(keyFile, "utf8"), certFile);
    },
    update({ cert, key, nowMs }) {
      const stored = parseCertificate(cert + key, "the answer to a certificate signing request");
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      const path = join(directory, `${prefix}-${dated(nowMs)}.pem`);
      writeFileSync(path, stored.cert + stored.key, { mode: 0o600 });
      // A link is replaced whole by renaming another over it: there is always one.
      const beside = join(directory, `${prefix}-updated.pem`);
      rmSync(beside, { force: true });
      symlinkSync(basename(path), beside);
      renameSync(beside, currentPath);
      return stored;
    },
  };
}

/** "2026-11-21-14-05-09", in local time as upstream's. */
function dated(nowMs: number): string {
  const date = new Date(nowMs);
  const parts = [date.getMonth() + 1, date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  return [date.getFullYear(), ...parts.map((part) => String(part).padStart(2, "0"))].join("-");
}
