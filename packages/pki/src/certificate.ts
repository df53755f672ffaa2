// Certificates of servers and clients, signed by a CA: made and judged. Writes no files.

import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { type KeyPair, toPem } from "./pem.js";
import { importSigningKey } from "./signing-key.js";
import { x509 } from "./x509.js";

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;
/** kubeadm's lifetime of leafs. */
const LEAF_LIFETIME_MS = YEAR_MS;
const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000;
/** Clocks of machines differ a little. */
const BACKDATE_MS = 5 * 60 * 1000;

export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
export const SIGNING_ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;

/** What a certificate is for and whom it names. */
export interface CertificateSubject {
  /** The user's name for the API server, or the server's own. */
  readonly commonName: string;
  /** Groups. */
  readonly organizations?: readonly string[];
  readonly usages: readonly ("server" | "client")[];
  /** DNS names and IP addresses that a server answers to. */
  readonly names?: readonly string[];
}

/** A positive serial number of 127 random bits, in hexadecimal. */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString("hex");
}

/** A fresh P-256 key. */
export function generateKey(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

/** A private key as PKCS #8 in PEM. */
export async function exportPrivateKey(key: webcrypto.CryptoKey): Promise<string> {
  return toPem(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}

/** Makes a key and a certificate for it, signed by the CA; valid for a year, but no longer than the CA. */
export async function issueCertificate({
  ca,
  subject,
  nowMs,
}: {
  ca: KeyPair;
  subject: CertificateSubject;
  nowMs: number;
}): Promise<KeyPair> {
  const keys = await generateKey();
  const signing = await importSigningKey(ca.key);
  const issuer = new x509.X509Certificate(ca.cert);
  const usages = { server: x509.ExtendedKeyUsage.serverAuth, client: x509.ExtendedKeyUsage.clientAuth };
  const names = (subject.names ?? []).map((value) => ({
    type: isIP(value) ? ("ip" as const) : ("dns" as const),
    value,
  }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: [...(subject.organizations ?? []).map((name) => ({ O: [name] })), { CN: [subject.commonName] }],
    issuer: issuer.subject,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(Math.min(nowMs + LEAF_LIFETIME_MS, issuer.notAfter.getTime())),
    signingKey: signing.key,
    signingAlgorithm: signing.algorithm,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(subject.usages.map((usage) => usages[usage])),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await exportPrivateKey(keys.privateKey) };
}

const USAGE_OIDS = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };

/** Why a certificate must be issued anew; undefined when it still serves its subject. Renewed a month before its end, unless
 *  somebody else sees to that. */
export function reasonToReissue({
  pair,
  ca,
  subject,
  nowMs,
  renewBeforeMs = RENEW_BEFORE_MS,
}: {
  pair: KeyPair | undefined;
  ca: Pick<KeyPair, "cert">;
  subject: CertificateSubject;
  nowMs: number;
  renewBeforeMs?: number;
}): string | undefined {
  if (!pair) return "it is missing";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return "its key belongs to another certificate";
  } catch {
    return "it is damaged";
  }
  if (!certificate.verify(new X509Certificate(ca.cert).publicKey)) return "another CA signed it";
  if (Date.parse(certificate.validTo) - nowMs < renewBeforeMs) return `it expires at ${certificate.validTo}`;
  const wanted = [...(subject.organizations ?? []).map((name) => `O=${name}`), `CN=${subject.commonName}`].sort();
  if (certificate.subject.split("\n").sort().join("\n") !== wanted.join("\n")) return "it has another subject";
  const usages = certificate.keyUsage ?? [];
  if (!subject.usages.every((usage) => usages.includes(USAGE_OIDS[usage]))) return "it is for another use";
  const matches = (name: string) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name));
  const missing = (subject.names ?? []).filter((name) => matches(name) === undefined);
  return missing.length > 0 ? `it does not name ${missing.join(", ")}` : undefined;
}
