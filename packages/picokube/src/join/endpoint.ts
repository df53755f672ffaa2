// One question to an API server that nothing is known of yet, and what went wrong in words that name the mend. Trusts
// nothing: what the answer is worth is the caller's to judge.

import { request } from "node:https";
import { isIPv6 } from "node:net";
import { ConfigError } from "@picokube/component-base/config-error";

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Of the server's clock; undefined when it does not say. */
  readonly dateMs: number | undefined;
}

const defaultPort = 6443;

/** Reads "https://IP:6443", with or without the scheme. Throws ConfigError. */
export function parseEndpoint(text: string): Endpoint {
  const fault = () =>
    new ConfigError(
      `invalid argument "${text}": the API server's address is https://IP:PORT, as picokube up on the first machine printed it`,
    );
  if (!URL.canParse(text.includes("://") ? text : `https://${text}`)) throw fault();
  const url = new URL(text.includes("://") ? text : `https://${text}`);
  if (url.protocol !== "https:" || url.hostname === "" || url.pathname !== "/" || url.username !== "") throw fault();
  // The URL drops https's own port.
  const port = url.port === "" ? (/:443\/?$/.test(text) ? 443 : defaultPort) : Number(url.port);
  return { host: url.hostname.replace(/^\[|\]$/g, ""), port };
}

export function formatEndpoint({ host, port }: Endpoint): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

type Phase = "connecting" | "handshake" | "answer";

/** GETs a path; without a CA whoever answers is believed for now. Throws ConfigError naming what to do. */
export function askEndpoint(
  endpoint: Endpoint,
  { path, ca, timeoutMs }: { path: string; ca?: string; timeoutMs: number },
): Promise<Answer> {
  let phase: Phase = "connecting";
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new ConfigError(unreachableWords(endpoint, { phase, error, timeoutMs }), { cause: error }));
    const sent = request(
      {
        ...endpoint,
        path,
        agent: false,
        headers: { accept: "application/json" },
        signal: AbortSignal.timeout(timeoutMs),
        ...(ca ? { ca } : { rejectUnauthorized: false }),
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("error", fail);
        response.on("end", () => {
          const dateMs = Date.parse(response.headers.date ?? "");
          resolve({ status: response.statusCode ?? 0, text, dateMs: Number.isNaN(dateMs) ? undefined : dateMs });
        });
      },
    );
    sent.on("socket", (socket) => {
      socket.once("connect", () => {
        phase = "handshake";
      });
      socket.once("secureConnect", () => {
        phase = "answer";
      });
    });
    sent.on("error", fail);
    sent.end();
  });
}

/** What to tell a person whose machine got no answer. */
export function unreachableWords(
  endpoint: Endpoint,
  { phase, error, timeoutMs }: { phase: Phase; error: Error; timeoutMs: number },
): string {
  const place = formatEndpoint(endpoint);
  const { code = "" } = error as NodeJS.ErrnoException;
  const isLate = error.name === "AbortError" || error.name === "TimeoutError" || code === "ETIMEDOUT";
  const seconds = timeoutMs / 1000;
  if (code === "ECONNREFUSED")
    return `nothing listens at ${place}: see on the first machine whether the cluster is up (picokube status) and has this address and port`;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return `the name ${endpoint.host} is not known here: give the first machine's IP address`;
  if (phase === "connecting")
    return `${place} cannot be reached${isLate ? ` (no answer within ${seconds} s)` : ` (${error.message})`}: check the address, the route to it and firewalls between the machines`;
  if (isLate)
    return `${place} accepts connections but says nothing within ${seconds} s: something in between (a firewall, a port forward) or a stopped process holds the port; restart the cluster there, or give the right port`;
  if (code === "CERT_NOT_YET_VALID" || code === "CERT_HAS_EXPIRED")
    return `the certificate of ${place} ${code === "CERT_HAS_EXPIRED" ? "has expired" : "is not valid yet"} by this machine's clock: set the clock (timedatectl set-ntp true), or renew there (picokube certs renew)`;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return `the API server's certificate does not name ${endpoint.host}: join by the address that picokube up printed, or run picokube certs renew --node-ip there`;
  if (/^(UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE)/.test(code))
    return `${place} shows a certificate that the cluster's CA did not sign: another server answers there than the one whose cluster-info it gave`;
  if (phase === "handshake")
    return `${place} does not speak TLS, so it is not a Kubernetes API server (${error.message}): check the port`;
  return `${place} broke the connection off (${error.message}): try again, and see the API server's log there`;
}
