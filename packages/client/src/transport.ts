// One server's connections: keep-alive pool, CA, client certificate and token, read again when their files change.
// Knows requests and answers, not resources.

import { readFileSync, statSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Clock } from "@picokube/component-base/clock";
import { type Dispatcher, errors, Pool } from "undici";
import type { Kubeconfig, Pem } from "./kubeconfig.js";

export interface TransportRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal | undefined;
  /** 0 waits for ever between two pieces of the body. */
  readonly bodyTimeoutMs: number;
}

export interface Transport {
  request(request: TransportRequest): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

const fileCheckIntervalMs = 10_000;
const tokenMaxAgeMs = 60_000;
const headersTimeoutMs = 90_000;

/** Connects lazily. */
export function createTransport({ kubeconfig, clock }: { kubeconfig: Kubeconfig; clock: Clock }): Transport {
  const { origin, pathname } = new URL(kubeconfig.server);
  const prefix = pathname === "/" ? "" : pathname;
  const files = [kubeconfig.ca, kubeconfig.cert, kubeconfig.key].flatMap((pem) =>
    pem && "file" in pem ? [pem.file] : [],
  );
  let pool: Pool | undefined;
  let closed = false;
  let stamp = "";
  let checkedMs = Number.NEGATIVE_INFINITY;
  let token: { text: string; readMs: number } | undefined;

  function currentPool(): Pool {
    // Another pool now would be closed by nobody.
    if (closed) throw new errors.ClientClosedError("the client is closed");
    const nowMs = clock.now();
    if (pool && (files.length === 0 || nowMs - checkedMs < fileCheckIntervalMs)) return pool;
    checkedMs = nowMs;
    const nextStamp = stampOf(files);
    if (pool && nextStamp === stamp) return pool;
    const fresh = openPool({ origin, kubeconfig });
    // Requests under way, watches among them, end on the old connections in their own time.
    void pool?.close().catch(() => {});
    pool = fresh;
    stamp = nextStamp;
    return fresh;
  }

  async function authorization(): Promise<string | undefined> {
    if (kubeconfig.tokenSource) return `Bearer ${await kubeconfig.tokenSource()}`;
    if (kubeconfig.tokenFile) {
      if (!token || clock.now() - token.readMs > tokenMaxAgeMs)
        token = { text: readFileSync(kubeconfig.tokenFile, "utf8").trim(), readMs: clock.now() };
      return `Bearer ${token.text}`;
    }
    if (kubeconfig.token) return `Bearer ${kubeconfig.token}`;
    if (kubeconfig.username === undefined) return undefined;
    return `Basic ${Buffer.from(`${kubeconfig.username}:${kubeconfig.password ?? ""}`).toString("base64")}`;
  }

  return {
    async request({ method, path, headers, body, signal, bodyTimeoutMs }) {
      const bearer = await authorization();
      return currentPool().request({
        method,
        path: prefix + path,
        headers: bearer ? { ...headers, authorization: bearer } : headers,
        body: body ?? null,
        signal: signal ?? null,
        headersTimeout: headersTimeoutMs,
        bodyTimeout: bodyTimeoutMs,
      });
    },
    async close() {
      closed = true;
      await pool?.destroy();
    },
  };
}

function openPool({ origin, kubeconfig }: { origin: string; kubeconfig: Kubeconfig }): Pool {
  const ca = textOf(kubeconfig.ca);
  const cert = textOf(kubeconfig.cert);
  const key = textOf(kubeconfig.key);
  return new Pool(origin, {
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 60_000,
    connect: {
      timeout: 30_000,
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
      // Read once for all connections: reading certificates is half of what opening one costs.
      secureContext: createSecureContext({ ...(ca ? { ca } : {}), ...(cert && key ? { cert, key } : {}) }),
      ...(kubeconfig.insecureSkipTlsVerify ? { rejectUnauthorized: false } : {}),
      ...(kubeconfig.tlsServerName ? { servername: kubeconfig.tlsServerName } : {}),
    },
  });
}

function textOf(pem: Pem | undefined): string | undefined {
  if (!pem) return undefined;
  return "pem" in pem ? pem.pem : readFileSync(pem.file, "utf8");
}

function stampOf(files: readonly string[]): string {
  return files.map((file) => statSync(file).mtimeMs).join(",");
}
