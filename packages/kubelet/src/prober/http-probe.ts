// httpGet probes: 200 to 299 is success, so is a redirect that leads elsewhere, with a warning. Upstream's DoHTTPProbe.

import { type HttpGet, httpGet } from "./http-get.js";
import { dialError, type ProbeOutcome } from "./probe-outcome.js";

/** Asks once; a connection that fails is a failure, not an error. */
export async function probeHttp(get: Omit<HttpGet, "userAgent"> & { timeoutMs: number }): Promise<ProbeOutcome> {
  const signal = AbortSignal.timeout(get.timeoutMs);
  const { url } = get;
  try {
    const { status, body } = await httpGet({ ...get, userAgent: "kube-probe/1.33" }, signal);
    if (status >= 200 && status < 300) return { success: true, message: "" };
    if (status >= 300 && status < 400) {
      return { success: true, isWarning: true, message: `Probe terminated redirects, Response body: ${body}` };
    }
    return { success: false, message: `HTTP probe failed with statuscode: ${status}` };
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    const words = signal.aborted
      ? "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
      : failure.code === "HPE_INVALID_CONSTANT"
        ? "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
        : failure.message === "socket hang up"
          ? "EOF"
          : failure.code === undefined
            ? failure.message
            : dialError(failure, addressOf(url));
    return { success: false, message: `Get "${url}": ${words}` };
  }
}

function addressOf(url: URL): string {
  return url.port ? url.host : `${url.host}:${url.protocol === "https:" ? 443 : 80}`;
}
