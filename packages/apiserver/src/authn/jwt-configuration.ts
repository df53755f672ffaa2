// What a cluster expects of another issuer's tokens (upstream: apiserver.config.k8s.io JWTAuthenticator), out of the
// --oidc-* flags, and what is wrong with it. Reads no token.

import { readFileSync } from "node:fs";
import type { FieldError } from "@picokube/api/errors";
import { duplicate, invalidValue, required } from "@picokube/api/validation/field-error";
import { ConfigError } from "@picokube/component-base/config-error";

/** A claim and what stands before its value in our names. */
export interface PrefixedClaim {
  readonly claim: string;
  readonly prefix: string;
}

export interface JwtConfiguration {
  readonly issuer: {
    readonly url: string;
    /** Where the discovery document is, if not at the issuer's well-known path. */
    readonly discoveryURL?: string;
    /** PEM; the system's authorities when left out. */
    readonly certificateAuthority?: string;
    /** A token must have one of them. */
    readonly audiences: readonly string[];
  };
  readonly claimValidationRules: readonly { readonly claim: string; readonly requiredValue: string }[];
  readonly claimMappings: {
    readonly username: PrefixedClaim;
    readonly groups?: PrefixedClaim;
    readonly uid?: { readonly claim: string };
  };
}

/** Upstream's flags, in camel case; "" is unset. */
export interface OidcOptions {
  readonly oidcIssuerUrl: string;
  readonly oidcClientId: string;
  readonly oidcCaFile: string;
  readonly oidcUsernameClaim: string;
  readonly oidcUsernamePrefix: string;
  readonly oidcGroupsClaim: string;
  readonly oidcGroupsPrefix: string;
  readonly oidcRequiredClaim: { readonly [claim: string]: string };
  readonly oidcSigningAlgs: readonly string[];
}

/** All that a file's issuers may sign with; --oidc-signing-algs chooses among them. */
export const SIGNING_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];

/** The flags' issuer; undefined when none is named. Throws ConfigError. */
export function jwtConfigurationOf(options: OidcOptions): JwtConfiguration | undefined {
  const { oidcIssuerUrl: url, oidcClientId: clientId, oidcUsernameClaim, oidcGroupsClaim, oidcCaFile } = options;
  const isAnySet =
    [url, clientId, oidcCaFile, options.oidcUsernamePrefix, oidcGroupsClaim, options.oidcGroupsPrefix].some(Boolean) ||
    Object.keys(options.oidcRequiredClaim).length > 0;
  if (!isAnySet) return undefined;
  if (url === "" || clientId === "") {
    throw new ConfigError(
      "oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set",
    );
  }
  for (const algorithm of options.oidcSigningAlgs) {
    if (!SIGNING_ALGORITHMS.includes(algorithm)) {
      throw new ConfigError(`oidc: unsupported signing alg: ${JSON.stringify(algorithm)}`);
    }
  }
  return {
    issuer: {
      url,
      audiences: [clientId],
      ...(oidcCaFile === "" ? {} : { certificateAuthority: readAuthority(oidcCaFile) }),
    },
    claimValidationRules: Object.entries(options.oidcRequiredClaim).map(([claim, requiredValue]) => ({
      claim,
      requiredValue,
    })),
    claimMappings: {
      username: { claim: oidcUsernameClaim, prefix: usernamePrefix(options) },
      ...(oidcGroupsClaim === "" ? {} : { groups: { claim: oidcGroupsClaim, prefix: options.oidcGroupsPrefix } }),
    },
  };
}

/** Claims other than an address are only unique within their issuer. */
function usernamePrefix({ oidcUsernamePrefix: prefix, oidcUsernameClaim, oidcIssuerUrl }: OidcOptions): string {
  if (prefix === "-") return "";
  return prefix === "" && oidcUsernameClaim !== "email" ? `${oidcIssuerUrl}#` : prefix;
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConfigError(`oidc-ca-file: ${(error as Error).message}`, { cause: error });
  }
}

/** Upstream: ValidateAuthenticationConfiguration. Our own issuers cannot be another's. */
export function jwtFaults(
  configurations: readonly JwtConfiguration[],
  serviceAccountIssuers: readonly string[],
): FieldError[] {
  const seen = new Set<string>();
  return configurations.flatMap(({ issuer, claimValidationRules, claimMappings }, index) => {
    const at = `jwt[${index}]`;
    const faults = [...urlFaults(issuer.url, `${at}.issuer.url`)];
    if (serviceAccountIssuers.includes(issuer.url)) {
      faults.push(invalidValue(`${at}.issuer.url`, issuer.url, "URL must not overlap with disallowed issuers"));
    }
    if (seen.has(issuer.url)) faults.push(duplicate(`${at}.issuer.url`, issuer.url));
    seen.add(issuer.url);
    if (issuer.discoveryURL) {
      faults.push(...urlFaults(issuer.discoveryURL, `${at}.issuer.discoveryURL`));
      if (issuer.discoveryURL.replace(/\/+$/, "") === issuer.url.replace(/\/+$/, "")) {
        faults.push(
          invalidValue(`${at}.issuer.discoveryURL`, issuer.discoveryURL, "discoveryURL must be different from URL"),
        );
      }
    }
    if (issuer.audiences.length === 0) {
      faults.push(required(`${at}.issuer.audiences`, `at least one ${at}.issuer.audiences is required`));
    }
    if (!claimMappings.username.claim) {
      faults.push(required(`${at}.claimMappings.username`, "claim or expression is required"));
    }
    const rules = new Set<string>();
    for (const [place, { claim }] of claimValidationRules.entries()) {
      const path = `${at}.claimValidationRules[${place}].claim`;
      if (!claim) faults.push(required(path, "claim or expression is required"));
      else if (rules.has(claim)) faults.push(duplicate(path, claim));
      rules.add(claim);
    }
    return faults;
  });
}

function urlFaults(text: string, path: string): FieldError[] {
  if (text === "") return [required(path, "URL is required")];
  const bad = (why: string) => [invalidValue(path, text, why)];
  if (!text.startsWith("https://")) return bad("URL scheme must be https");
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    return bad((error as Error).message);
  }
  if (url.username !== "" || url.password !== "") return bad("URL must not contain a username or password");
  if (url.search !== "") return bad("URL must not contain a query");
  return url.hash === "" ? [] : bad("URL must not contain a fragment");
}
