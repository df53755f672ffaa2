// Certificate authorities and the service account key: made once, never again. What exists is never overwritten.

import { createPublicKey, webcrypto } from "node:crypto";
import { join } from "node:path";
import { ConfigError } from "@picokube/component-base/config-error";
import { exportPrivateKey, generateKey, randomSerial, SIGNING_ALGORITHM } from "./certificate.js";
import { type KeyPair, readIfPresent, readKeyPair, writeKeyPair, writeWhole } from "./pem.js";
import { x509 } from "./x509.js";

/** kubeadm's lifetime of CAs. */
const CA_LIFETIME_MS = 10 * 365 * 24 * 60 * 60 * 1000;
const BACKDATE_MS = 5 * 60 * 1000;

/** Makes a self-signed CA that is valid for ten years. */
export async function createCa({ commonName, nowMs }: { commonName: string; nowMs: number }): Promise<KeyPair> {
  const keys = await generateKey();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: [{ CN: [commonName] }],
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + CA_LIFETIME_MS),
    signingAlgorithm: SIGNING_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: commonName }]),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await exportPrivateKey(keys.privateKey) };
}

/** Reads <name>.crt and <name>.key, or makes them when neither is there. Throws ConfigError when only one is. */
export async function ensureCa({
  directory,
  name,
  commonName,
  nowMs,
}: {
  directory: string;
  name: string;
  commonName: string;
  nowMs: number;
}): Promise<KeyPair> {
  const found = readKeyPair(directory, name);
  if (found) return found;
  for (const [there, missing] of [
    ["crt", "key"],
    ["key", "crt"],
  ]) {
    if (readIfPresent(join(directory, `${name}.${there}`)) !== undefined) {
      throw new ConfigError(
        `${join(directory, name)}.${there} is there but ${name}.${missing} is not: a CA is never made anew, put the file back`,
      );
    }
  }
  const ca = await createCa({ commonName, nowMs });
  writeKeyPair(directory, name, ca);
  return ca;
}

/** Makes sa.key and sa.pub (RSA 2048, for RS256) when there is no sa.key; a missing sa.pub is made from the key. */
export async function ensureServiceAccountKey(directory: string): Promise<void> {
  const keyPath = join(directory, "sa.key");
  const publicPath = join(directory, "sa.pub");
  let key = readIfPresent(keyPath);
  if (key === undefined) {
    const { privateKey } = (await webcrypto.subtle.generateKey(
      { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" },
      true,
      ["sign", "verify"],
    )) as webcrypto.CryptoKeyPair;
    key = await exportPrivateKey(privateKey);
    writeWhole(keyPath, key, 0o600);
  }
  if (readIfPresent(publicPath) === undefined) {
    writeWhole(publicPath, createPublicKey(key).export({ type: "spki", format: "pem" }) as string, 0o644);
  }
}
