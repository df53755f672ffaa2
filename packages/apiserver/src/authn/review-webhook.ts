// Asks another server by a kubeconfig file: posts a review to its very URL and reads the answer's status. Tries again
// where upstream does; remembers nothing.

import { internalError, type StatusError } from "@picokube/api/errors";
import { loadKubeconfig } from "@picokube/client/kubeconfig";
import { errorFromResponse } from "@picokube/client/response-error";
import { createClient } from "@picokube/client/rest-client";
import { isConnectionLost } from "@picokube/client/retry";
import type { Clock } from "@picokube/component-base/clock";

/** How often one review is tried (upstream: options.DefaultAuthWebhookRetryBackoff). */
const ATTEMPTS = 5;
const INITIAL_BACKOFF_MS = 500;
const BACKOFF_FACTOR = 1.5;
/** Upstream: webhook.defaultRequestTimeout. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** Posts a review; resolves to the status of the answer. Throws what kept it from being answered. */
export type PostReview<Status> = (review: object) => Promise<Status>;

/** Reads the kubeconfig file; throws ConfigError. The connections end with the signal. */
export function reviewWebhook<Status>(
  configFile: string,
  {
    clock,
    signal,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly timeoutMs?: number },
): PostReview<Status> {
  const kubeconfig = loadKubeconfig(configFile);
  const client = createClient({ kubeconfig, userAgent: "kube-apiserver", clock });
  signal.addEventListener("abort", () => void client.close(), { once: true });
  const path = new URL(kubeconfig.server).pathname === "/" ? "/" : "";
  const headers = { "content-type": "application/json" };

  async function once(body: string): Promise<Status> {
    const timeout = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    const answer = await client.raw({ method: "POST", path, body, headers, signal: timeout });
    const text = await textOf(answer.body);
    if (answer.status >= 300) throw errorFromResponse(answer.status, text);
    return statusOf(text);
  }

  return async (review) => {
    const body = JSON.stringify(review);
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(body);
      } catch (error) {
        if (attempt >= ATTEMPTS || !isTransient(error) || signal.aborted) throw error;
        await clock.sleep(INITIAL_BACKOFF_MS * BACKOFF_FACTOR ** (attempt - 1), signal);
      }
    }
  };
}

async function textOf(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function statusOf<Status>(text: string): Status {
  let answer: { status?: Status } | null;
  try {
    answer = JSON.parse(text) as { status?: Status } | null;
  } catch (error) {
    throw internalError(`the webhook's answer is no JSON: ${(error as Error).message}`);
  }
  return answer?.status ?? ({} as Status);
}

/** Upstream: webhook.DefaultShouldRetry. A refused connection is none of it, a reset one is. */
function isTransient(error: unknown): boolean {
  const { code } = error as Partial<StatusError>;
  if (code === 429 || code === 500 || code === 504) return true;
  return isConnectionLost(error) && !/ECONNREFUSED/.test((error as Error).message);
}
