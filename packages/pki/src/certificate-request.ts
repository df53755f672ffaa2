// Certificate signing requests (PKCS #10): made, read, and turned into certificates. Judges nobody's right to one.

import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { exportPrivateKey, generateKey, randomSerial, SIGNING_ALGORITHM } from "./certificate.js";
import { usageExtensions } from "./certificate-usages.js";
import type { KeyPair } from "./pem.js";
import { importSigningKey } from "./signing-key.js";
import { x509 } from "./x509.js";

/** Clocks of machines differ a little. */
const BACKDATE_MS = 5 * 60 * 1000;
/** Certificates that live longer count the backdating as part of their life (upstream: PermissiveSigningPolicy.Short). */
const SHORT_MS = 8 * 60 * 60 * 1000;

export interface CertificateRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** Whether whoever made the request holds its key. */
  isSignatureValid(): Promise<boolean>;
}

/** Makes a key and a request for it, both PEM. */
export async function createCertificateRequest({
  commonName,
  organizations = [],
  names = [],
  keys,
}: {
  commonName: string;
  organizations?: readonly string[];
  /** DNS names and IP addresses. */
  names?: readonly string[];
  /** Its own new ones when left out. */
  keys?: webcrypto.CryptoKeyPair;
}): Promise<{ request: string; key: string }> {
  const pair = keys ?? (await generateKey());
  const alternatives = names.map((value) => ({ type: isIP(value) ? ("ip" as const) : ("dns" as const), value }));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [...organizations.map((name) => ({ O: [name] })), { CN: [commonName] }],
    keys: pair,
    signingAlgorithm: SIGNING_ALGORITHM,
    extensions: alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : [],
  });
  return { request: `${request.toString("pem")}\n`, key: await exportPrivateKey(pair.privateKey) };
}

/** Reads a request of PEM. Throws when it is none. */
export function parseCertificateRequest(pem: string): CertificateRequest {
  const request = new x509.Pkcs10CertificateRequest(pem);
  const names = alternativeNames(request)?.names.items ?? [];
  const ofType = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value);
  return {
    commonName: request.subjectName.getField("CN")[0] ?? "",
    organizations: request.subjectName.getField("O"),
    dnsNames: ofType("dns"),
    ipAddresses: ofType("ip"),
    emailAddresses: ofType("email"),
    uris: ofType("url"),
    isSignatureValid: () => request.verify(),
  };
}

/**
 * The certificate (PEM) for a request: its subject, names and key; the usages and the life are the signer's to say. It
 * never outlives the CA. Throws when the request's signature is wrong (upstream: CertificateAuthority.Sign).
 */
export async function signCertificateRequest({
  request: pem,
  ca,
  usages,
  lifetimeMs,
  nowMs,
}: {
  request: string;
  ca: KeyPair;
  usages: readonly string[];
  lifetimeMs: number;
  nowMs: number;
}): Promise<string> {
  const request = new x509.Pkcs10CertificateRequest(pem);
  if (!(await request.verify())) throw new Error("unable to verify certificate request signature");
  const issuer = new x509.X509Certificate(ca.cert);
  const { key, algorithm } = await importSigningKey(ca.key);
  const names = alternativeNames(request);
  const notBeforeMs = nowMs - BACKDATE_MS;
  const notAfterMs = (lifetimeMs > SHORT_MS ? notBeforeMs : nowMs) + lifetimeMs;
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerial(),
    subject: request.subjectName.toJSON(),
    issuer: issuer.subject,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(Math.min(notAfterMs, issuer.notAfter.getTime())),
    signingKey: key,
    signingAlgorithm: algorithm,
    publicKey: request.publicKey,
    extensions: [
      ...usageExtensions(usages),
      new x509.BasicConstraintsExtension(false, undefined, true),
      await x509.AuthorityKeyIdentifierExtension.create(await issuer.publicKey.export()),
      ...(names ? [names] : []),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

function alternativeNames({
  extensions,
}: x509.Pkcs10CertificateRequest): x509.SubjectAlternativeNameExtension | undefined {
  return extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension);
}
