// What every kind of bearer token shares: taking it out of the request, and the interface of those who know tokens.

import type { IncomingMessage } from "node:http";
import type { UserInfo } from "./authenticator.js";

export interface AuthenticatedToken {
  readonly user: UserInfo;
  /** Those asked for that the token has. */
  readonly audiences: readonly string[];
}

export interface TokenAuthenticator {
  readonly name: string;
  /** undefined: not a token of this kind. Throws when it is one and is bad. audiences: at least one must be the token's. */
  authenticateToken(token: string, audiences: readonly string[]): Promise<AuthenticatedToken | undefined>;
}

const WEBSOCKET_PREFIX = "base64url.bearer.authorization.k8s.io.";

/** The token of "Authorization: Bearer", or the one that browsers put among a WebSocket's subprotocols. */
export function bearerToken({ headers }: IncomingMessage): string | undefined {
  const header = headers.authorization?.trim();
  if (header !== undefined && header !== "") {
    const [scheme = "", token = ""] = header.split(/ +/, 2);
    return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
  }
  if (headers.upgrade?.toLowerCase() !== "websocket") return undefined;
  for (const protocol of (headers["sec-websocket-protocol"] ?? "").split(",")) {
    const name = protocol.trim();
    if (name.startsWith(WEBSOCKET_PREFIX)) {
      return Buffer.from(name.slice(WEBSOCKET_PREFIX.length), "base64url").toString("utf8");
    }
  }
  return undefined;
}

/** Takes the credentials out of the headers, so that nothing behind the apiserver sees them. */
export function removeCredentials({ headers }: IncomingMessage): void {
  delete headers.authorization;
  const offered = headers["sec-websocket-protocol"];
  if (offered?.includes(WEBSOCKET_PREFIX)) {
    const kept = offered.split(",").filter((name) => !name.trim().startsWith(WEBSOCKET_PREFIX));
    if (kept.length > 0) headers["sec-websocket-protocol"] = kept.join(",").trim();
    else delete headers["sec-websocket-protocol"];
  }
}
