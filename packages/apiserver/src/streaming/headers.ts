// Which headers of a request go on to a kubelet, pod or service: never credentials, never what belongs to one hop. Pure.

import type { IncomingMessage } from "node:http";

const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "host",
]);
const TOKEN_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

const isCredential = (name: string): boolean =>
  name === "authorization" || name.startsWith("impersonate-") || name.startsWith("x-remote-");

function withoutToken(protocols: string): string {
  const kept = protocols.split(",").filter((protocol) => !protocol.trim().startsWith(TOKEN_PROTOCOL));
  return kept.join(",").trim();
}

/** Name and value pairs to pass on, names as the client wrote them; upgrade keeps Connection and Upgrade. */
export function forwardedHeaders(
  { rawHeaders }: IncomingMessage,
  { upgrade }: { upgrade: boolean },
): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    const lower = name.toLowerCase();
    const value = rawHeaders[at + 1]!;
    if (isCredential(lower)) continue;
    if (HOP_BY_HOP.has(lower) && !(upgrade && (lower === "connection" || lower === "upgrade"))) continue;
    if (lower !== "sec-websocket-protocol") pairs.push([name, value]);
    else if (withoutToken(value) !== "") pairs.push([name, withoutToken(value)]);
  }
  return pairs;
}

/** Headers of an answer without those of one hop, in the form that ServerResponse.writeHead takes. */
export function answeredHeaders(headers: { readonly [name: string]: string | string[] | undefined }): {
  [name: string]: string | string[];
} {
  const kept: { [name: string]: string | string[] } = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP_BY_HOP.has(name.toLowerCase())) kept[name] = value;
  }
  return kept;
}
