// ServiceAccount tokens (JWTs): signature, issuer, audience and dates through jose, then the objects they are bound to.
// Verified tokens are remembered by hash; what storage says is asked each time.

import { createHash } from "node:crypto";
import { secrets } from "@picokube/api/core/v1";
import { unauthorized } from "@picokube/api/errors";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { boundObjectFault, type KubernetesClaims, userFromClaims } from "./service-account-claims.js";
import type { VerificationKey } from "./service-account-keys.js";
import type { TokenAuthenticator } from "./token.js";

const REMEMBERED_TOKENS = 1024;
const LEGACY_ISSUER = "kubernetes/serviceaccount";
const LEGACY = "kubernetes.io/serviceaccount";

export interface ServiceAccountTokenOptions {
  readonly keys: readonly VerificationKey[];
  /** All are accepted; the first one signs. */
  readonly issuers: readonly string[];
  readonly apiAudiences: readonly string[];
  readonly storage: StorageRegistry;
  now(): number;
}

const legacyText = (payload: JWTPayload, key: string) => String(payload[`${LEGACY}/${key}`] ?? "");

/** The private claims of a bound token, or those of a legacy Secret's token in the same shape. */
function kubernetesClaims(payload: JWTPayload): KubernetesClaims | undefined {
  if (payload.iss === LEGACY_ISSUER) {
    const [namespace, name, uid] = ["namespace", "service-account.name", "service-account.uid"].map((key) =>
      legacyText(payload, key),
    );
    return namespace && name && uid ? { namespace, serviceaccount: { name, uid } } : undefined;
  }
  const claims = payload["kubernetes.io"] as KubernetesClaims | undefined;
  const named = claims?.namespace && claims.serviceaccount?.name && claims.serviceaccount.uid;
  return named ? claims : undefined;
}

/** Why a token that never expires no longer counts: only the Secret that holds it vouches for it (upstream: legacy.go). */
function legacyFault(token: string, payload: JWTPayload, storage: StorageRegistry): string | undefined {
  if (payload.iss !== LEGACY_ISSUER) return undefined;
  const name = legacyText(payload, "secret.name");
  if (name === "") return "secretName claim is missing";
  const secret = storage.for(secrets).get(legacyText(payload, "namespace"), name);
  if (!secret || secret.metadata.deletionTimestamp !== undefined) return "token has been invalidated";
  const held = Buffer.from((secret.data?.token as string | undefined) ?? "", "base64").toString("utf8");
  return held === token ? undefined : "token does not match server's copy";
}

/** Whether an issuer is ours, read without trusting the token. */
function claimsToBeOurs(token: string, issuers: readonly string[]): boolean {
  try {
    const { iss } = decodeJwt(token);
    return iss === LEGACY_ISSUER || issuers.includes(iss ?? "");
  } catch {
    return false;
  }
}

function audiencesOf(payload: JWTPayload, options: ServiceAccountTokenOptions): readonly string[] {
  if (payload.aud === undefined) return payload.iss === LEGACY_ISSUER ? options.apiAudiences : [];
  return Array.isArray(payload.aud) ? payload.aud : [payload.aud];
}

async function verifySignature(token: string, options: ServiceAccountTokenOptions): Promise<JWTPayload> {
  const { kid } = decodeProtectedHeader(token);
  const named = options.keys.filter(({ id }) => id === kid);
  let fault: unknown;
  for (const { key, algorithm } of named.length > 0 ? named : options.keys) {
    try {
      // The algorithm is the key's, never the token's: neither "none" nor HS256 with a public key can pass.
      const { payload } = await jwtVerify(token, key, {
        algorithms: [algorithm],
        currentDate: new Date(options.now()),
        clockTolerance: 0,
      });
      return payload;
    } catch (error) {
      fault = error;
    }
  }
  throw Object.assign(unauthorized(), { cause: fault });
}

/** Authenticates tokens of our issuers; others are left to whoever knows them. */
export function serviceAccountTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  const verified = new LRUCache<string, JWTPayload>({ max: REMEMBERED_TOKENS });
  const bad = (why: string) => Object.assign(unauthorized(), { cause: new Error(why) });

  async function payloadOf(token: string): Promise<JWTPayload> {
    const hash = createHash("sha256").update(token).digest("base64");
    let payload = verified.get(hash);
    if (!payload) {
      payload = await verifySignature(token, options);
      verified.set(hash, payload);
    }
    const nowSeconds = options.now() / 1000;
    if (payload.exp !== undefined && nowSeconds >= payload.exp) throw bad("service account token has expired");
    if (payload.nbf !== undefined && nowSeconds < payload.nbf) throw bad("service account token is not valid yet");
    return payload;
  }

  return {
    name: "service-account-token",
    async authenticateToken(token, audiences) {
      if (!claimsToBeOurs(token, options.issuers)) return undefined;
      const payload = await payloadOf(token);
      const shared = audiencesOf(payload, options).filter((audience) => audiences.includes(audience));
      if (shared.length === 0)
        throw bad(`token audiences ${JSON.stringify(payload.aud)} is invalid for the target audiences`);
      const claims = kubernetesClaims(payload);
      if (!claims) throw bad("service account token has no claims of its account");
      if (payload.sub !== `system:serviceaccount:${claims.namespace}:${claims.serviceaccount.name}`) {
        throw bad("service account token's subject is not its account");
      }
      const fault =
        legacyFault(token, payload, options.storage) ??
        boundObjectFault(claims, { storage: options.storage, now: options.now() });
      if (fault) throw bad(fault);
      return { user: userFromClaims(claims, payload.jti), audiences: shared };
    },
  };
}
