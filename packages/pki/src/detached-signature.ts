// The signature of cluster-info by a bootstrap token: a JWS whose payload is left out (cluster-bootstrap/token/jws). Pure.

import { createHmac } from "node:crypto";

/** "header..signature", HS256 with the token's secret half, its id as key id. */
export function detachedSignature(content: string, { id, secret }: { id: string; secret: string }): string {
  const header = Buffer.from(JSON.stringify({ alg: "HS256", kid: id })).toString("base64url");
  const payload = Buffer.from(content).toString("base64url");
  const signature = createHmac("sha256", secret).update(`${header}.${payload}`).digest("base64url");
  return `${header}..${signature}`;
}
