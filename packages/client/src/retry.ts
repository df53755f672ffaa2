// When a request is sent again: on the server's Retry-After, and for reads when no answer came. Upstream's rest.withRetry.

import { StatusError } from "@picokube/api/errors";
import type { Clock } from "@picokube/component-base/clock";
import type { Dispatcher } from "undici";

const maxRetries = 10;
const maxConnectionRetries = 3;
const connectionRetryDelayMs = 250;

const lostConnection = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);
const closedClient = new Set(["UND_ERR_CLOSED", "UND_ERR_DESTROYED"]);

/** Sends until there is an answer to hand on. An unreachable server is an Error with a cause. */
export async function sendWithRetries({
  send,
  idempotent,
  clock,
  signal,
}: {
  send: () => Promise<Dispatcher.ResponseData>;
  idempotent: boolean;
  clock: Clock;
  signal?: AbortSignal | undefined;
}): Promise<Dispatcher.ResponseData> {
  let lost = 0;
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    let response: Dispatcher.ResponseData;
    try {
      response = await send();
    } catch (error) {
      signal?.throwIfAborted();
      // The identity's own request was answered, with a no.
      if (error instanceof StatusError) throw error;
      const code = codeOf(error);
      lost += 1;
      if (!idempotent || !lostConnection.has(code) || lost > maxConnectionRetries)
        throw new Error(`the server could not be reached (${code})`, { cause: error });
      await clock.sleep(connectionRetryDelayMs * lost, signal);
      continue;
    }
    const waitSeconds = retryAfterSeconds(response);
    if (waitSeconds === undefined || attempt >= maxRetries) return response;
    await response.body.dump();
    await clock.sleep(waitSeconds * 1000, signal);
  }
}

/** Whether the failure means that nobody answered, as while an apiserver restarts. */
export function isConnectionLost(error: unknown): boolean {
  return hasCode(error, lostConnection);
}

/** Whether the failure means that the client was closed: no later try can end otherwise. */
export function isClientClosed(error: unknown): boolean {
  return hasCode(error, closedClient);
}

function hasCode(error: unknown, codes: ReadonlySet<string>): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if (codes.has(codeOf(at))) return true;
  return false;
}

function retryAfterSeconds({ statusCode, headers }: Dispatcher.ResponseData): number | undefined {
  const header = headers["retry-after"];
  if ((statusCode !== 429 && statusCode < 500) || typeof header !== "string" || !/^\d+$/.test(header)) return undefined;
  return Number(header);
}

function codeOf(error: unknown): string {
  const code = (error as { code?: unknown }).code;
  if (typeof code === "string") return code;
  // Several addresses were tried: the first failure tells as much as any.
  const inner = (error as { errors?: unknown[] }).errors?.[0];
  return inner === undefined ? "unknown error" : codeOf(inner);
}
