// A JSON Web Token signed by the key of service accounts: RS256 or ES256/384/512 by the key's type, named by upstream's key
// id. Knows nothing of claims.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";

const CURVES: { readonly [curve: string]: { readonly alg: string; readonly hash: string } } = {
  prime256v1: { alg: "ES256", hash: "sha256" },
  secp384r1: { alg: "ES384", hash: "sha384" },
  secp521r1: { alg: "ES512", hash: "sha512" },
};

/** A signer for the PEM encoded private key; throws for a key of another type (upstream: serviceaccount.JWTTokenGenerator). */
export function serviceAccountJwtSigner(pem: string): (claims: object) => string {
  const key = createPrivateKey(pem);
  const { alg, hash } = algorithmOf(key);
  const kid = createHash("sha256")
    .update(createPublicKey(key).export({ type: "spki", format: "der" }))
    .digest("base64url");
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = encode({ alg, kid });
  return (claims) => {
    const signed = `${header}.${encode(claims)}`;
    const signature = sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  };
}

function algorithmOf(key: KeyObject): { readonly alg: string; readonly hash: string } {
  if (key.asymmetricKeyType === "rsa") return { alg: "RS256", hash: "sha256" };
  const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ""];
  if (!curve) throw new Error(`unsupported service account key type "${key.asymmetricKeyType}": must be RSA or ECDSA`);
  return curve;
}
