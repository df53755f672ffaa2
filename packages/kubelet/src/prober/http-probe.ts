// httpGet probes: 200 to 399 is success, https certificates are not checked, redirects stay on the host.

import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { dialError, type ProbeOutcome } from "./probe-outcome.js";

const maxRedirects = 10;
const maxBodyBytes = 10 * 1024;

export interface HttpProbeTarget {
  url: URL;
  headers: readonly { name: string; value: string }[];
  timeoutMs: number;
}

function headersOf(url: URL, given: HttpProbeTarget["headers"]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {
    "user-agent": "kube-probe/1.33",
    accept: "*/*",
    connection: "close",
  };
  for (const { name, value } of given) {
    const key = name.toLowerCase();
    // An empty value means: send none of our own.
    if (value === "" && (key === "user-agent" || key === "accept")) delete headers[key];
    else headers[key] = value;
  }
  return { host: url.host, ...headers };
}

function get({ url, headers }: HttpProbeTarget, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === "https:" ? httpsRequest : httpRequest;
    const options = { agent: false, headers: headersOf(url, headers), signal, rejectUnauthorized: false };
    const request = send(url, options, resolve);
    request.on("error", reject);
    request.end();
  });
}

/** Drains a little of the body, so that the server sees its answer taken. */
async function drain(response: IncomingMessage): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of response) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > maxBodyBytes) break;
  }
  response.destroy();
}

/** Asks once; a connection that fails is a failure, not an error. */
export async function probeHttp(target: HttpProbeTarget): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(target.timeoutMs);
  let { url } = target;
  try {
    for (let redirects = 0; ; redirects++) {
      const response = await get({ ...target, url }, signal);
      const status = response.statusCode ?? 0;
      const { location } = response.headers;
      await drain(response);
      if (status >= 300 && status < 400 && location) {
        const next = new URL(location, url);
        if (next.hostname !== url.hostname) return { success: true, message: "" };
        if (redirects >= maxRedirects) {
          return { success: false, message: `Get "${next}": stopped after ${maxRedirects} redirects` };
        }
        url = next;
        continue;
      }
      const success = status >= 200 && status < 400;
      return { success, message: success ? "" : `HTTP probe failed with statuscode: ${status}` };
    }
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    const words = signal.aborted
      ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      : failure.code === "HPE_INVALID_CONSTANT"
        ? "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        : failure.message === "socket hang up"
          ? "EOF"
          : dialError(failure, addressOf(url));
    return { success: false, message: `Get "${url}": ${words}` };
  }
}

function addressOf(url: URL): string {
  return url.port ? url.host : `${url.host}:${url.protocol === "https:" ? 443 : 80}`;
}
