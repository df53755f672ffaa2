// --authentication-token-webhook-config-file: another server says whose a token is, by TokenReview; its answers are
// remembered for a while (upstream: plugin/pkg/authenticator/token/webhook). A server that is away knows no token.

import { createHash } from "node:crypto";
import type { TokenReview } from "@picokube/api/authentication/v1";
import type { Clock } from "@picokube/component-base/clock";
import { ConfigError } from "@picokube/component-base/config-error";
import type { Logger } from "@picokube/component-base/logger";
import { LRUCache } from "lru-cache";
import { type PostReview, reviewWebhook } from "./review-webhook.js";
import type { AuthenticatedToken, TokenAuthenticator } from "./token.js";

export interface TokenWebhookOptions {
  /** A kubeconfig file. */
  readonly configFile: string;
  /** Of TokenReview: v1, v1beta1. */
  readonly version: string;
  /** How long answers are remembered, of good tokens and of bad ones. */
  readonly cacheTtlMs: number;
  /** The audiences of a token of which the other server tells none. */
  readonly apiAudiences: readonly string[];
}

export interface TokenWebhookDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends its connections. */
  readonly signal: AbortSignal;
}

type ReviewStatus = NonNullable<TokenReview["status"]>;

const REMEMBERED = 4096;

/** Reads the kubeconfig file. Throws ConfigError. */
export function openTokenWebhook(
  options: TokenWebhookOptions,
  dependencies: TokenWebhookDependencies,
): TokenAuthenticator {
  if (options.version !== "v1" && options.version !== "v1beta1") {
    const supported = 'supported versions are "v1", "v1beta1"';
    throw new ConfigError(
      `unsupported authentication webhook version ${JSON.stringify(options.version)}, ${supported}`,
    );
  }
  return tokenWebhook(options, { ...dependencies, post: reviewWebhook(options.configFile, dependencies) });
}

/** Authenticates what the other server knows. */
export function tokenWebhook(
  { version, cacheTtlMs, apiAudiences }: Omit<TokenWebhookOptions, "configFile">,
  { clock, logger, post }: Pick<TokenWebhookDependencies, "clock" | "logger"> & { post: PostReview<ReviewStatus> },
): TokenAuthenticator {
  const remembered = new LRUCache<string, { answer: Promise<AuthenticatedToken | undefined>; untilMs: number }>({
    max: REMEMBERED,
  });

  async function ask(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined> {
    const status = await post({
      kind: "TokenReview",
      apiVersion: `authentication.k8s.io/${version}`,
      metadata: { creationTimestamp: null },
      spec: { token, ...(audiences.length > 0 ? { audiences } : {}) },
      status: { user: {} },
    }).catch((error: Error) => {
      logger.error("Failed to make webhook authenticator request", { err: error });
      throw error;
    });
    return authenticatedOf(status, { audiences, apiAudiences });
  }

  return {
    name: "token-webhook",
    authenticateToken(token, audiences) {
      const key = createHash("sha256")
        .update(JSON.stringify([token, audiences]))
        .digest("base64");
      const known = remembered.get(key);
      if (known && known.untilMs > clock.now()) return known.answer;
      const answer = ask(token, audiences);
      // Those who come with the same token meanwhile wait for the same answer; an answer that never came is forgotten.
      remembered.set(key, { answer, untilMs: Number.POSITIVE_INFINITY });
      answer.then(
        () => remembered.set(key, { answer, untilMs: clock.now() + cacheTtlMs }),
        () => remembered.delete(key),
      );
      return answer;
    },
  };
}

function authenticatedOf(
  { authenticated, audiences: told = [], error, user }: ReviewStatus,
  { audiences, apiAudiences }: { audiences: readonly string[]; apiAudiences: readonly string[] },
): AuthenticatedToken | undefined {
  const has = told.length > 0 ? told : apiAudiences;
  const shared = audiences.filter((audience) => has.includes(audience));
  if (audiences.length > 0 && shared.length === 0) return undefined;
  if (!authenticated) {
    if (error) throw new Error(error);
    return undefined;
  }
  const { username = "", uid, groups = [], extra } = user ?? {};
  return {
    user: {
      name: username,
      ...(uid ? { uid } : {}),
      groups,
      ...(extra ? { extra: extra as { [key: string]: string[] } } : {}),
    },
    audiences: shared,
  };
}
