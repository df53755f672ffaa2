// Another issuer's keys: found through its discovery document when the first of its tokens comes, fetched again when a
// token names a key that is not among them. Knows signatures, no claims.

import type { KeyObject } from "node:crypto";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import { compactVerify, createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { Agent, request } from "undici";
import type { JwtConfiguration } from "./jwt-configuration.js";

/** After a failure the issuer is left alone for so long (upstream polls as often). */
const RETRY_INTERVAL_MS = 10_000;
/** A token with a key that nobody knows costs the issuer one request in this time, not one a token. */
const REFETCH_INTERVAL_MS = 5_000;
const TIMEOUT_MS = 30_000;

export interface OidcProvider {
  /** The payload of a token that one of the issuer's keys signed. Throws an Error in upstream's words. */
  verify(token: string): Promise<Buffer>;
}

/** Connects lazily; connections end with the signal. */
export function oidcProvider({
  issuer,
  algorithms,
  clock,
  logger,
  signal,
}: {
  readonly issuer: JwtConfiguration["issuer"];
  readonly algorithms: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}): OidcProvider {
  const { certificateAuthority: ca } = issuer;
  const agent = new Agent({ allowH2: false, connect: { timeout: TIMEOUT_MS, ...(ca ? { ca } : {}) } });
  signal.addEventListener("abort", () => void agent.destroy(), { once: true });
  const jwksUri = onceThatWorks(discover, { clock, intervalMs: RETRY_INTERVAL_MS });
  const keys = refetched(fetchKeys, { clock, intervalMs: REFETCH_INTERVAL_MS });

  async function fetchJson(url: string): Promise<Record<string, unknown>> {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    const answer = await request(url, { dispatcher: agent, signal: timeout });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}: ${text.slice(0, 200)}`);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async function discover(): Promise<string> {
    const wellKnown = `${issuer.url.replace(/\/$/, "")}/.well-known/openid-configuration`;
    try {
      const document = await fetchJson(issuer.discoveryURL ?? wellKnown);
      if (document.issuer !== issuer.url) {
        const [expected, got] = [JSON.stringify(issuer.url), JSON.stringify(document.issuer ?? "")];
        throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${expected} got ${got}`);
      }
      return String(document.jwks_uri);
    } catch (error) {
      if (!signal.aborted) logger.error("oidc authenticator: initializing plugin", { issuer: issuer.url, err: error });
      throw error;
    }
  }

  async function fetchKeys(): Promise<JWTVerifyGetKey> {
    const keySet = (await fetchJson(await jwksUri())) as unknown as JSONWebKeySet;
    return createLocalJWKSet(keySet) as JWTVerifyGetKey;
  }

  return {
    async verify(token) {
      try {
        await jwksUri();
      } catch (error) {
        throw new Error("oidc: authenticator not initialized", { cause: error });
      }
      let cause: unknown;
      for (const source of [keys.known, keys.again]) {
        try {
          const found = await source();
          if (found) return await verifyWith(token, found, algorithms);
        } catch (error) {
          cause = error;
        }
      }
      throw new Error("oidc: verify token: failed to verify signature: failed to verify id token signature", { cause });
    },
  };
}

/** Tries each key that fits when the token does not say which. */
async function verifyWith(token: string, keys: JWTVerifyGetKey, algorithms: readonly string[]): Promise<Buffer> {
  const options = { algorithms: [...algorithms] };
  try {
    const { payload } = await compactVerify(token, keys as never, options);
    return Buffer.from(payload);
  } catch (error) {
    if ((error as { code?: string }).code !== "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
    for await (const key of error as unknown as AsyncIterable<KeyObject>) {
      try {
        const { payload } = await compactVerify(token, key, options);
        return Buffer.from(payload);
      } catch {
        // The next may fit.
      }
    }
    throw error;
  }
}

/** Remembers the first success; after a failure it is not tried again for a while, and those who come meanwhile fail alike. */
function onceThatWorks<T>(
  attempt: () => Promise<T>,
  { clock, intervalMs }: { clock: Clock; intervalMs: number },
): () => Promise<T> {
  let latest: Promise<T> | undefined;
  let failedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (latest && (failedAtMs === Number.NEGATIVE_INFINITY || clock.now() - failedAtMs < intervalMs)) return latest;
    failedAtMs = Number.NEGATIVE_INFINITY;
    latest = attempt();
    latest.catch(() => {
      failedAtMs = clock.now();
    });
    return latest;
  };
}

/** What was fetched last, and a way to fetch it anew that is taken at most once in intervalMs. */
function refetched<T>(
  fetch: () => Promise<T>,
  { clock, intervalMs }: { clock: Clock; intervalMs: number },
): { known(): Promise<T | undefined>; again(): Promise<T | undefined> } {
  let latest: Promise<T> | undefined;
  let known: T | undefined;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  return {
    known: async () => known,
    again() {
      if (latest && clock.now() - fetchedAtMs < intervalMs) return latest;
      fetchedAtMs = clock.now();
      latest = fetch();
      latest.then(
        (value) => {
          known = value;
        },
        () => {},
      );
      return latest;
    },
  };
}
