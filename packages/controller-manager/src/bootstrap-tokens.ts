// Bootstrap tokens as their Secrets hold them (cluster-bootstrap/token). Pure; the API server authenticates by them.

import type { Secret } from "@picokube/api/core/v1";
import { parseTime } from "@picokube/api/time";

export const BOOTSTRAP_TOKEN_TYPE = "bootstrap.kubernetes.io/token";

const NAME = /^bootstrap-token-([a-z0-9]{6})$/;

function text({ data }: Secret, field: string): string {
  return Buffer.from((data?.[field] as string | undefined) ?? "", "base64").toString("utf8");
}

/** When the token ends; undefined for one that never does. One whose time cannot be read has ended (GetExpiration). */
export function tokenExpiryMs(secret: Secret): number | undefined {
  const expiration = text(secret, "expiration");
  return expiration === "" ? undefined : (parseTime(expiration) ?? 0);
}

/** The token's two halves when it may sign the cluster-info; undefined otherwise (validateSecretForSigning). */
export function signingToken(secret: Secret, nowMs: number): { id: string; secret: string } | undefined {
  const id = text(secret, "token-id");
  const half = text(secret, "token-secret");
  if (secret.type !== BOOTSTRAP_TOKEN_TYPE || NAME.exec(secret.metadata.name)?.[1] !== id || half === "")
    return undefined;
  if ((tokenExpiryMs(secret) ?? Number.POSITIVE_INFINITY) <= nowMs) return undefined;
  return text(secret, "usage-bootstrap-signing") === "true" ? { id, secret: half } : undefined;
}
