// Signs ServiceAccount tokens with upstream's claims. Checks nothing that a request says.

import { type KeyObject, randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { KubernetesClaims } from "./service-account-claims.js";
import type { VerificationKey } from "./service-account-keys.js";

export interface TokenSigner {
  sign(token: {
    claims: KubernetesClaims;
    audiences: readonly string[];
    /** Epoch seconds. */
    issuedAt: number;
    expiresAt: number;
  }): Promise<string>;
}

/** A signer for one key and issuer. */
export function createTokenSigner({
  privateKey,
  verification,
  issuer,
}: {
  privateKey: KeyObject;
  verification: VerificationKey;
  issuer: string;
}): TokenSigner {
  return {
    sign: ({ claims, audiences, issuedAt, expiresAt }) =>
      new SignJWT({ "kubernetes.io": claims, aud: [...audiences] })
        .setProtectedHeader({ alg: verification.algorithm, kid: verification.id })
        .setIssuer(issuer)
        .setSubject(`system:serviceaccount:${claims.namespace}:${claims.serviceaccount.name}`)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(privateKey),
  };
}
