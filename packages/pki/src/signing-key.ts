// Private keys of CAs, in any form that OpenSSL writes, with the algorithm that each signs by. Makes no keys.

import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from "node:crypto";

export interface SigningKey {
  readonly key: webcrypto.CryptoKey;
  readonly algorithm: { readonly name: string; readonly hash?: string };
}

const CURVES: Readonly<Record<string, { namedCurve: string; hash: string }>> = {
  prime256v1: { namedCurve: "P-256", hash: "SHA-256" },
  secp384r1: { namedCurve: "P-384", hash: "SHA-384" },
  secp521r1: { namedCurve: "P-521", hash: "SHA-512" },
};

/** Reads RSA, ECDSA (P-256, P-384, P-521) and Ed25519 keys of PEM; throws for others. */
export async function importSigningKey(pem: string): Promise<SigningKey> {
  const key = createPrivateKey(pem);
  const { importAs, signAs } = algorithmsOf(key);
  const der = key.export({ type: "pkcs8", format: "der" });
  return { key: await webcrypto.subtle.importKey("pkcs8", der, importAs, false, ["sign"]), algorithm: signAs };
}

/** Both halves of an elliptic key of PEM, to ask for a certificate with. */
export async function importKeyPair(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const { importAs } = algorithmsOf(createPrivateKey(pem));
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  const publicDer = createPublicKey(pem).export({ type: "spki", format: "der" });
  const [privateKey, publicKey] = await Promise.all([
    webcrypto.subtle.importKey("pkcs8", der, importAs, true, ["sign"]),
    webcrypto.subtle.importKey("spki", publicDer, importAs, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

function algorithmsOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): {
  importAs: { name: string; namedCurve?: string; hash?: string };
  signAs: SigningKey["algorithm"];
} {
  if (type === "rsa") {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return { importAs: algorithm, signAs: algorithm };
  }
  if (type === "ed25519") return { importAs: { name: "Ed25519" }, signAs: { name: "Ed25519" } };
  const curve = type === "ec" ? CURVES[details?.namedCurve ?? ""] : undefined;
  if (!curve) throw new Error(`keys of type ${type} cannot sign certificates here: use RSA, ECDSA or Ed25519`);
  return {
    importAs: { name: "ECDSA", namedCurve: curve.namedCurve },
    signAs: { name: "ECDSA", hash: curve.hash },
  };
}
