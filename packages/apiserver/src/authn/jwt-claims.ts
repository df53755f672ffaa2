// From the claims of a verified token to a user, as the configuration maps them (upstream: oidc.go getUsername,
// getGroups). Verifies no signature.

import type { UserInfo } from "./authenticator.js";
import type { JwtConfiguration } from "./jwt-configuration.js";

export type Claims = { readonly [claim: string]: unknown };

/** How far the issuer's clock may be ahead of ours (go-oidc). */
const NOT_BEFORE_LEEWAY_MS = 300_000;

/** Throws an Error in upstream's words for a token that is not for us, or not now. now in epoch ms. */
export function checkClaims(claims: Claims, { issuer }: JwtConfiguration, now: number): void {
  const iso = (ms: number) => new Date(ms).toISOString();
  const expiryMs = typeof claims.exp === "number" ? claims.exp * 1000 : 0;
  if (expiryMs < now) throw new Error(`oidc: verify token: oidc: token is expired (Token Expiry: ${iso(expiryMs)})`);
  if (typeof claims.nbf === "number" && now + NOT_BEFORE_LEEWAY_MS < claims.nbf * 1000) {
    const words = `current time ${iso(now)} before the nbf (not before) time: ${iso(claims.nbf * 1000)}`;
    throw new Error(`oidc: verify token: oidc: ${words}`);
  }
  const audiences = [claims.aud ?? []].flat() as unknown[];
  if (!audiences.some((audience) => issuer.audiences.includes(audience as string))) {
    throw new Error(`oidc: expected audience in ${goList(issuer.audiences)} got ${goList(audiences)}`);
  }
}

/** Throws an Error in upstream's words for claims that are missing or say something else. */
export function userOfClaims(claims: Claims, { claimMappings, claimValidationRules }: JwtConfiguration): UserInfo {
  const { username, groups, uid } = claimMappings;
  const name = textClaim(claims, username.claim, `oidc: parse username claims ${JSON.stringify(username.claim)}`);
  if (username.claim === "email" && Object.hasOwn(claims, "email_verified")) {
    const verified = claims.email_verified;
    if (typeof verified !== "boolean") {
      throw new Error(`oidc: parse 'email_verified' claim: ${unlike(verified, "bool")}`);
    }
    if (!verified) throw new Error("oidc: email not verified");
  }
  const prefix = groups?.prefix ?? "";
  const user: UserInfo = {
    name: username.prefix + name,
    groups: groups ? groupsOf(claims, groups.claim).map((group) => prefix + group) : [],
    ...(uid ? { uid: textClaim(claims, uid.claim, `oidc: error getting uid: oidc: parse uid claim`) } : {}),
  };
  for (const { claim, requiredValue } of claimValidationRules) {
    if (!Object.hasOwn(claims, claim)) throw new Error(`oidc: required claim ${claim} not present in ID token`);
    const value = textClaim(claims, claim, `oidc: parse claim ${claim}`);
    if (value !== requiredValue) {
      throw new Error(`oidc: required claim ${claim} value does not match. Got = ${value}, want = ${requiredValue}`);
    }
  }
  return user;
}

/** One group may stand alone. */
function groupsOf(claims: Claims, claim: string): string[] {
  if (!Object.hasOwn(claims, claim)) return [];
  const value = claims[claim];
  if (Array.isArray(value) && value.every((group) => typeof group === "string")) return value as string[];
  if (typeof value === "string") return [value];
  throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: ${unlike(value, "string")}`);
}

function textClaim(claims: Claims, claim: string, words: string): string {
  if (!Object.hasOwn(claims, claim)) throw new Error(`${words}: claim not present`);
  const value = claims[claim];
  if (typeof value !== "string") throw new Error(`${words}: ${unlike(value, "string")}`);
  return value;
}

/** In the words of Go's encoding/json. */
function unlike(value: unknown, wanted: string): string {
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type ${wanted}`;
}

function goList(values: readonly unknown[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}
