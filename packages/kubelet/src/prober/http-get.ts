// The request of an httpGet action, of probes and of lifecycle hooks: its address, headers, and redirects, which stay on the
// host. Mirrors upstream's probe/http request.go. Judges no answer.

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Container, HTTPGetAction } from "@picokube/api/core/v1";
import { hostPort, resolvePort } from "./probe-outcome.js";

const maxRedirects = 10;
const maxBodyBytes = 10 * 1024;

type Headers = readonly { readonly name: string; readonly value: string }[];

export interface HttpGet {
  readonly url: URL;
  readonly headers: Headers;
  /** "kube-probe/1.33" unless the headers name another. */
  readonly userAgent: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** Its first 10 KB. */
  readonly body: string;
  /** Of the answer: another than was asked for, after redirects. */
  readonly url: URL;
}

/** Where an httpGet action of the container leads. Throws a ProbeError when it names no port. */
export function urlOf({ scheme, host, path = "/", port }: HTTPGetAction, container: Container, podIp: string): URL {
  const address = hostPort(host || podIp, resolvePort(port, container));
  return new URL(`${(scheme ?? "HTTP").toLowerCase()}://${address}${path.startsWith("/") ? "" : "/"}${path}`);
}

function headersOf({ url, headers: given, userAgent }: HttpGet): Record<string, string> {
  const headers: Record<string, string> = { "user-agent": userAgent, accept: "*/*", connection: "close" };
  for (const { name, value } of given) {
    const key = name.toLowerCase();
    // An empty value means: send none of our own.
    if (value === "" && (key === "user-agent" || key === "accept")) delete headers[key];
    else headers[key] = value;
  }
  return { host: url.host, ...headers };
}

function send(get: HttpGet, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const dial = get.url.protocol === "https:" ? httpsRequest : httpRequest;
    const options = { agent: false, headers: headersOf(get), signal, rejectUnauthorized: false };
    dial(get.url, options, resolve).on("error", reject).end();
  });
}

async function firstOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > maxBodyBytes) break;
  }
  response.destroy();
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString();
}

/** Asks, and follows redirects on the same host; one to another host is the answer itself. */
export async function httpGet(get: HttpGet, signal: AbortSignal): Promise<HttpAnswer> {
  let { url } = get;
  for (let redirects = 0; ; redirects++) {
    const response = await send({ ...get, url }, signal);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    const body = await firstOf(response);
    const next = status >= 300 && status < 400 && location ? new URL(location, url) : undefined;
    if (!next || next.hostname !== url.hostname) return { status, body, url };
    if (redirects >= maxRedirects) throw new Error(`stopped after ${maxRedirects} redirects`);
    url = next;
  }
}
