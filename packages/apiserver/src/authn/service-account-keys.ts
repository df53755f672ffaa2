// The keys of ServiceAccount tokens: read from PEM files, named by upstream's key id. Signs and verifies nothing.

import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { ConfigError } from "@picokube/component-base/config-error";

export interface VerificationKey {
  /** base64url of the SHA-256 of the public key's DER, as upstream names keys. */
  readonly id: string;
  readonly key: KeyObject;
  readonly algorithm: string;
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** The key's id in a token's header and in the JWKS. */
export function keyId(publicKey: KeyObject): string {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
}

/** RS256 or ES256/384/512 by the key's type; throws ConfigError for any other. */
export function algorithmOf(key: KeyObject): string {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  const curves: { [curve: string]: string } = { prime256v1: "ES256", secp384r1: "ES384", secp521r1: "ES512" };
  const algorithm = curves[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (algorithm) return algorithm;
  throw new ConfigError(`unsupported service account key type "${key.asymmetricKeyType}": must be RSA or ECDSA`);
}

function read(path: string, flag: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`${flag}: ${error instanceof Error ? error.message : error}`);
  }
}

/** The public keys of all files; a private key or a certificate gives its public key. */
export function loadVerificationKeys(paths: readonly string[]): VerificationKey[] {
  return paths.flatMap((path) => {
    const blocks = read(path, "service-account-key-file").match(PEM) ?? [];
    const keys = blocks.map((pem): VerificationKey => {
      const key = createPublicKey(pem);
      return { id: keyId(key), key, algorithm: algorithmOf(key) };
    });
    if (keys.length === 0) throw new ConfigError(`service-account-key-file: ${path} holds no PEM encoded key`);
    return keys;
  });
}

/** The private key that tokens are signed with, beside its public half. */
export function loadSigningKey(path: string): {
  readonly privateKey: KeyObject;
  readonly verification: VerificationKey;
} {
  const pem = read(path, "service-account-signing-key-file");
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    throw new ConfigError(`service-account-signing-key-file: ${path} holds no PEM encoded private key`);
  }
  const key = createPublicKey(pem);
  return { privateKey, verification: { id: keyId(key), key, algorithm: algorithmOf(privateKey) } };
}
