// All kinds of credentials in upstream's order: front proxy, client certificate, static tokens, ServiceAccount tokens,
// bootstrap tokens, other issuers' tokens, the token webhook, anonymous. A bad credential never becomes anonymous.

import type { IncomingMessage } from "node:http";
import { StatusError, unauthorized } from "@picokube/api/errors";
import { ConfigError } from "@picokube/component-base/config-error";
import type { StorageRegistry } from "../storage/resource-storage.js";
import { anonymousUser } from "./anonymous.js";
import { audienceAgnostic } from "./audience-agnostic.js";
import type { AnonymousConfiguration } from "./authentication-configuration.js";
import type { Authenticator, UserInfo } from "./authenticator.js";
import { bootstrapTokenAuthenticator } from "./bootstrap-token.js";
import {
  type JwtConfiguration,
  jwtConfigurationOf,
  jwtFaults,
  type OidcOptions,
  SIGNING_ALGORITHMS,
} from "./jwt-configuration.js";
import { requestHeaderAuthenticator } from "./request-header.js";
import { loadVerificationKeys } from "./service-account-keys.js";
import { serviceAccountTokenAuthenticator } from "./service-account-token.js";
import { staticTokenAuthenticator } from "./static-token-file.js";
import { bearerToken, type TokenAuthenticator } from "./token.js";
import type { TokenWebhookDependencies } from "./token-webhook.js";
import { watchedFile } from "./watched-file.js";
import { x509Authenticator } from "./x509.js";

const AUTHENTICATED = "system:authenticated";

/** Upstream's flags, in camel case; "" and [] are unset. */
export interface AuthenticationOptions extends Partial<OidcOptions> {
  readonly clientCaFile: string;
  readonly tokenAuthFile: string;
  readonly serviceAccountKeyFile: readonly string[];
  /** The first one signs. */
  readonly serviceAccountIssuer: readonly string[];
  /** The issuers when empty. */
  readonly apiAudiences: readonly string[];
  readonly anonymousAuth: boolean;
  readonly enableBootstrapTokenAuth?: boolean;
  readonly requestheaderClientCaFile?: string;
  readonly requestheaderAllowedNames?: readonly string[];
  readonly requestheaderUsernameHeaders?: readonly string[];
  readonly requestheaderGroupHeaders?: readonly string[];
  readonly requestheaderExtraHeadersPrefix?: readonly string[];
  /** An AuthenticationConfiguration file instead of --oidc-*. */
  readonly authenticationConfig?: string;
  readonly authenticationTokenWebhookConfigFile?: string;
  readonly authenticationTokenWebhookVersion?: string;
  /** Milliseconds. */
  readonly authenticationTokenWebhookCacheTtl?: number;
}

export interface AuthenticatorDependencies extends TokenWebhookDependencies {
  readonly storage: StorageRegistry;
}

export interface RequestAuthenticator {
  /** The request's user, with group system:authenticated unless anonymous. Throws unauthorized(). At once, unless a token must be looked at. */
  authenticate(request: IncomingMessage): UserInfo | Promise<UserInfo>;
  /** For TokenReview. Throws unauthorized(). */
  authenticateToken(
    token: string,
    audiences?: readonly string[],
  ): Promise<{ user: UserInfo; audiences: readonly string[] }>;
}

function requestAuthenticators(options: AuthenticationOptions, now: () => number): Authenticator[] {
  const found: Authenticator[] = [];
  if (options.requestheaderClientCaFile) {
    const bundle = watchedFile(options.requestheaderClientCaFile, "requestheader-client-ca-file", now);
    bundle();
    found.push(
      requestHeaderAuthenticator({
        bundle,
        allowedNames: options.requestheaderAllowedNames ?? [],
        usernameHeaders: options.requestheaderUsernameHeaders ?? ["x-remote-user"],
        groupHeaders: options.requestheaderGroupHeaders ?? ["x-remote-group"],
        extraHeaderPrefixes: options.requestheaderExtraHeadersPrefix ?? ["x-remote-extra-"],
        now,
      }),
    );
  }
  if (options.clientCaFile !== "") {
    const bundle = watchedFile(options.clientCaFile, "client-ca-file", now);
    bundle();
    found.push(x509Authenticator({ bundle, now }));
  }
  return found;
}

async function tokenAuthenticators(
  options: AuthenticationOptions,
  otherIssuers: readonly JwtConfiguration[],
  dependencies: AuthenticatorDependencies,
): Promise<TokenAuthenticator[]> {
  const { storage, clock } = dependencies;
  const now = () => clock.now();
  const apiAudiences = apiAudiencesOf(options);
  const found: TokenAuthenticator[] = [];
  if (options.tokenAuthFile !== "") {
    found.push(audienceAgnostic(staticTokenAuthenticator(options.tokenAuthFile), apiAudiences));
  }
  if (options.serviceAccountKeyFile.length > 0) {
    const keys = loadVerificationKeys(options.serviceAccountKeyFile);
    const issuers = options.serviceAccountIssuer;
    found.push(serviceAccountTokenAuthenticator({ keys, issuers, apiAudiences, storage, now }));
  }
  if (options.enableBootstrapTokenAuth) {
    found.push(audienceAgnostic(bootstrapTokenAuthenticator({ storage, now }), apiAudiences));
  }
  if (otherIssuers.length > 0) {
    const [{ jwtAuthenticator }, { oidcProvider }] = await Promise.all([
      import("./jwt-authenticator.js"),
      import("./oidc-provider.js"),
    ]);
    for (const configuration of otherIssuers) {
      const provider = oidcProvider({
        issuer: configuration.issuer,
        algorithms: options.authenticationConfig ? SIGNING_ALGORITHMS : (options.oidcSigningAlgs ?? ["RS256"]),
        ...dependencies,
      });
      found.push(audienceAgnostic(jwtAuthenticator({ configuration, provider, clock }), apiAudiences));
    }
  }
  if (options.authenticationTokenWebhookConfigFile) {
    // Loaded only where it is asked for: the client weighs more than the rest of authentication.
    const { openTokenWebhook } = await import("./token-webhook.js");
    const webhook = {
      configFile: options.authenticationTokenWebhookConfigFile,
      version: options.authenticationTokenWebhookVersion ?? "v1beta1",
      cacheTtlMs: options.authenticationTokenWebhookCacheTtl ?? 120_000,
      apiAudiences,
    };
    found.push(openTokenWebhook(webhook, dependencies));
  }
  return found;
}

/** The other issuers and where anonymous requests may go, by the file or by the flags. Throws ConfigError. */
async function configured(options: AuthenticationOptions): Promise<{
  readonly jwt: readonly JwtConfiguration[];
  readonly anonymous: AnonymousConfiguration;
}> {
  const fromFlags = options.oidcIssuerUrl === undefined ? undefined : jwtConfigurationOf(options as OidcOptions);
  const byFlag = { enabled: options.anonymousAuth, paths: undefined };
  if (options.authenticationConfig) {
    if (fromFlags) throw new ConfigError("authentication-config file and oidc-* flags are mutually exclusive");
    const { readAuthenticationConfiguration } = await import("./authentication-configuration.js");
    const { jwt, anonymous } = await readAuthenticationConfiguration(
      options.authenticationConfig,
      options.serviceAccountIssuer,
    );
    return { jwt, anonymous: anonymous ?? byFlag };
  }
  const jwt = fromFlags ? [fromFlags] : [];
  const faults = jwtFaults(jwt, options.serviceAccountIssuer);
  if (faults.length > 0) throw new ConfigError(faults.map(({ field, message }) => `${field}: ${message}`).join(", "));
  return { jwt, anonymous: byFlag };
}

/** As it came, without the query: what upstream compares its conditions with. */
function pathOf({ url = "/" }: IncomingMessage): string {
  return url.split("?", 1)[0]!;
}

/** The audiences that a token must have to be good for this apiserver. */
export function apiAudiencesOf(
  options: Pick<AuthenticationOptions, "apiAudiences" | "serviceAccountIssuer">,
): readonly string[] {
  return options.apiAudiences.length > 0 ? options.apiAudiences : options.serviceAccountIssuer;
}

/** Builds what the flags ask for; throws ConfigError for a file that cannot be used. */
export async function createAuthenticator(
  options: AuthenticationOptions,
  dependencies: AuthenticatorDependencies,
): Promise<RequestAuthenticator> {
  const apiAudiences = apiAudiencesOf(options);
  const byRequest = requestAuthenticators(options, () => dependencies.clock.now());
  const { jwt, anonymous } = await configured(options);
  const byToken = await tokenAuthenticators(options, jwt, dependencies);
  const authenticated = (user: UserInfo): UserInfo =>
    user.groups.includes(AUTHENTICATED) || user.groups.includes("system:unauthenticated")
      ? user
      : { ...user, groups: [...user.groups, AUTHENTICATED] };
  // A certificate's user is the same object for all requests of its socket: its grouped form is made once.
  const grouped = new WeakMap<UserInfo, UserInfo>();
  const withGroup = (user: UserInfo): UserInfo => {
    let known = grouped.get(user);
    if (!known) {
      known = authenticated(user);
      grouped.set(user, known);
    }
    return known;
  };

  async function tryTokens(token: string, audiences: readonly string[]) {
    let fault: unknown;
    for (const authenticator of byToken) {
      try {
        const result = await authenticator.authenticateToken(token, audiences);
        if (result) return { user: authenticated(result.user), audiences: result.audiences };
      } catch (error) {
        fault = error;
      }
    }
    // However one of them failed, the answer is that the token is nobody's; TokenReview tells why.
    if (fault instanceof StatusError && fault.code === 401) throw fault;
    throw Object.assign(unauthorized(), { cause: fault ?? new Error("invalid bearer token") });
  }

  return {
    authenticate(request) {
      let fault: unknown;
      for (const authenticator of byRequest) {
        try {
          const user = authenticator.authenticate(request);
          if (user) return withGroup(user);
        } catch (error) {
          fault = error;
        }
      }
      const token = bearerToken(request);
      if (token !== undefined) return tryTokens(token, apiAudiences).then(({ user }) => user);
      if (fault) throw fault;
      if (!anonymous.enabled) throw unauthorized();
      if (anonymous.paths && !anonymous.paths.includes(pathOf(request))) throw unauthorized();
      return anonymousUser;
    },
    authenticateToken: (token, audiences) => tryTokens(token, audiences?.length ? audiences : apiAudiences),
  };
}
