// Authentication and authorisation of a component's own listener, asked of the apiserver: client certificates by the CA,
// tokens by TokenReview, deeds by SubjectAccessReview, both remembered for a while. Upstream's delegating options.

import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { type TokenReview, tokenreviews, type UserInfo } from "@picokube/api/authentication/v1";
import {
  type NonResourceAttributes,
  type ResourceAttributes,
  type SubjectAccessReview,
  subjectaccessreviews,
} from "@picokube/api/authorization/v1";
import type { NewObject } from "@picokube/api/meta/v1";
import type { Clock } from "@picokube/component-base/clock";
import type { Authorization } from "@picokube/component-base/health-server";
import type { Client } from "./client.js";

export interface DelegatedAuthOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Whether a request without credentials is system:anonymous rather than refused. */
  readonly anonymous?: boolean;
  /** 10 s; the kubelet's is 2 min. */
  readonly tokenTtlMs?: number;
  /** 10 s; the kubelet's is 5 min. */
  readonly authorizedTtlMs?: number;
  /** 10 s; the kubelet's is 30 s. */
  readonly unauthorizedTtlMs?: number;
}

/** What somebody wants to do: exactly one of the two. */
export type Deed = { readonly resource: ResourceAttributes } | { readonly nonResource: NonResourceAttributes };

export interface DelegatedAuth {
  /** Undefined: nobody we know. */
  authenticate(request: IncomingMessage): Promise<UserInfo | undefined>;
  authorize(user: UserInfo, deed: Deed): Promise<{ readonly allowed: boolean; readonly reason: string }>;
  /** Both, for a path that is no resource: the health server's authorize. */
  authorizePath(request: IncomingMessage): Promise<Authorization>;
}

const maxRemembered = 4096;

/** The listener must ask for client certificates, with the cluster's CA as its ca (component-base/tls-options). */
export function createDelegatedAuth({
  client,
  clock,
  anonymous = true,
  tokenTtlMs = 10_000,
  authorizedTtlMs = 10_000,
  unauthorizedTtlMs = 10_000,
}: DelegatedAuthOptions): DelegatedAuth {
  const tokens = new Remembered<UserInfo | undefined>(clock);
  const decisions = new Remembered<{ allowed: boolean; reason: string }>(clock);

  async function authenticate(request: IncomingMessage): Promise<UserInfo | undefined> {
    const certified = userOfCertificate(request.socket as Partial<TLSSocket>);
    if (certified) return certified;
    const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined) {
      // Bad credentials are refused, as upstream does; only a request without any is anonymous.
      const hasCredentials =
        request.headers.authorization !== undefined || showsCertificate(request.socket as Partial<TLSSocket>);
      if (hasCredentials || !anonymous) return undefined;
      return { username: "system:anonymous", groups: ["system:unauthenticated"] };
    }
    return tokens.get(token, async () => {
      const review = await client.create(tokenreviews, { spec: { token } } as NewObject<TokenReview>);
      const user = review.status?.authenticated ? review.status.user : undefined;
      return { value: user, ttlMs: tokenTtlMs };
    });
  }

  function authorize(user: UserInfo, deed: Deed): Promise<{ allowed: boolean; reason: string }> {
    const spec = {
      user: user.username ?? "",
      groups: user.groups ?? [],
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
      ...("resource" in deed ? { resourceAttributes: deed.resource } : { nonResourceAttributes: deed.nonResource }),
    };
    return decisions.get(JSON.stringify(spec), async () => {
      const { status } = await client.create(subjectaccessreviews, { spec } as NewObject<SubjectAccessReview>);
      const allowed = status?.allowed === true;
      return { value: { allowed, reason: status?.reason ?? "" }, ttlMs: allowed ? authorizedTtlMs : unauthorizedTtlMs };
    });
  }

  async function authorizePath(request: IncomingMessage): Promise<Authorization> {
    const user = await authenticate(request);
    if (!user) return { allowed: false, code: 401, message: "Unauthorized" };
    const verb = (request.method ?? "GET").toLowerCase();
    const path = new URL(request.url ?? "/", "http://host").pathname;
    const { allowed, reason } = await authorize(user, { nonResource: { verb, path } });
    if (allowed) return { allowed };
    const why = reason ? `: ${reason}` : "";
    return { allowed, code: 403, message: `Forbidden (user=${user.username}, verb=${verb}, path=${path})${why}` };
  }

  return { authenticate, authorize, authorizePath };
}

// A field of a subject is text, or a list of texts when it stands there more than once.
function userOfCertificate(socket: Partial<TLSSocket>): UserInfo | undefined {
  if (!socket.authorized || !socket.getPeerCertificate) return undefined;
  const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined;
  if (!subject?.CN) return undefined;
  return { username: subject.CN, groups: [...[subject.O ?? []].flat(), "system:authenticated"] };
}

// Expired, or of another CA: it did not make a user.
function showsCertificate(socket: Partial<TLSSocket>): boolean {
  return Object.keys(socket.getPeerCertificate?.() ?? {}).length > 0;
}

class Remembered<T> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, { value: T; untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async get(key: string, ask: () => Promise<{ value: T; ttlMs: number }>): Promise<T> {
    const found = this.#entries.get(key);
    if (found && found.untilMs > this.#clock.now()) return found.value;
    const { value, ttlMs } = await ask();
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs: this.#clock.now() + ttlMs });
    if (this.#entries.size > maxRemembered)
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    return value;
  }
}
