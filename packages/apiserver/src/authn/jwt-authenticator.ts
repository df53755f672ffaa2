// Tokens of another issuer (OpenID Connect ID tokens): signature, issuer, times, audience, then the user in their claims
// (upstream: plugin/pkg/authenticator/token/oidc). Tokens of other issuers are left to whoever knows them.

import type { Clock } from "@picokube/component-base/clock";
import { decodeJwt } from "jose";
import type { AgnosticAuthenticator } from "./audience-agnostic.js";
import { type Claims, checkClaims, userOfClaims } from "./jwt-claims.js";
import type { JwtConfiguration } from "./jwt-configuration.js";
import type { OidcProvider } from "./oidc-provider.js";

/** Authenticates the tokens of one issuer. */
export function jwtAuthenticator({
  configuration,
  provider,
  clock,
}: {
  readonly configuration: JwtConfiguration;
  readonly provider: OidcProvider;
  readonly clock: Clock;
}): AgnosticAuthenticator {
  return {
    name: "jwt",
    async userOf(token) {
      if (issuerOf(token) !== configuration.issuer.url) return undefined;
      const claims = JSON.parse((await provider.verify(token)).toString("utf8")) as Claims;
      checkClaims(claims, configuration, clock.now());
      return userOfClaims(claims, configuration);
    },
  };
}

/** What the token says of itself, before anything about it is believed. */
function issuerOf(token: string): unknown {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined;
  }
}
