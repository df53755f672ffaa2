// Asks a health endpoint whether its component is well. Trusts any certificate: only the answer's code is used.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

export interface Health {
  readonly ok: boolean;
  /** "ok", "HTTP 500", "refused": for a person. */
  readonly words: string;
}

/** The URL may be unix:// and the path of an engine's socket. */
export function probeHealth(url: string, timeoutMs = 2000): Promise<Health> {
  const socketPath = url.startsWith("unix://") ? url.slice("unix://".length) : undefined;
  return new Promise((done) => {
    const request = (url.startsWith("https:") ? httpsRequest : httpRequest)(
      socketPath ? "http://engine/_ping" : url,
      { timeout: timeoutMs, rejectUnauthorized: false, agent: false, ...(socketPath ? { socketPath } : {}) },
      (response) => {
        response.resume();
        const ok = response.statusCode === 200;
        done({ ok, words: ok ? "ok" : `HTTP ${response.statusCode}` });
      },
    );
    request.once("timeout", () => request.destroy(new Error("no answer")));
    request.once("error", (error: NodeJS.ErrnoException) =>
      done({ ok: false, words: error.code === "ECONNREFUSED" || error.code === "ENOENT" ? "refused" : error.message }),
    );
    request.end();
  });
}
