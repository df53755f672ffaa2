// --audit-webhook-config-file: events are sent in batches to another server, beside the requests and never in their way.
// What does not fit the buffer is dropped and counted.

import type { RawResponse } from "@picokube/client/client";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { AuditEvent } from "./audit-event.js";
import type { AuditBackend } from "./log-backend.js";

export interface WebhookOptions {
  /** Sends one EventList; rejects when no answer came. */
  readonly post: (body: string) => Promise<RawResponse>;
  readonly bufferSize: number;
  readonly batchMaxSize: number;
  readonly batchMaxWaitMs: number;
  readonly initialBackoffMs: number;
  /** Called with the number of events that are lost. */
  readonly onLoss: (count: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often one batch is tried (upstream: webhook.WithExponentialBackoff). */
const ATTEMPTS = 5;
const BACKOFF_FACTOR = 1.5;

export function createWebhookBackend(options: WebhookOptions): AuditBackend {
  const { bufferSize, batchMaxSize, batchMaxWaitMs, onLoss, clock } = options;
  let waiting: AuditEvent[] = [];
  let sending: Promise<void> | undefined;
  let timer: { cancel(): void } | undefined;

  function flush(): void {
    timer?.cancel();
    timer = undefined;
    // One batch at a time: a slow receiver fills the buffer, not the memory.
    sending ??= sendAll().finally(() => {
      sending = undefined;
    });
  }

  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMaxSize);
      waiting = waiting.slice(batchMaxSize);
      await send(batch, options);
    }
  }

  return {
    write(event) {
      if (waiting.length >= bufferSize) return onLoss(1);
      waiting.push(event);
      if (waiting.length >= batchMaxSize) flush();
      else timer ??= clock.after(batchMaxWaitMs, flush);
    },
    async close() {
      flush();
      await sending;
    },
  };
}

async function send(
  batch: readonly AuditEvent[],
  { post, initialBackoffMs, onLoss, clock, logger }: WebhookOptions,
): Promise<void> {
  const body = JSON.stringify({ kind: "EventList", apiVersion: "audit.k8s.io/v1", metadata: {}, items: batch });
  for (let attempt = 1; ; attempt++) {
    const fault = await tryOnce(post, body);
    if (fault === undefined) return;
    if (fault.isFinal || attempt >= ATTEMPTS) {
      logger.error("a batch of audit events could not be sent and is lost", { events: batch.length, err: fault.words });
      onLoss(batch.length);
      return;
    }
    await clock.sleep(initialBackoffMs * BACKOFF_FACTOR ** (attempt - 1));
  }
}

/** Only silence, 429 and 5xx are worth another try (upstream: DefaultShouldRetry). */
async function tryOnce(
  post: WebhookOptions["post"],
  body: string,
): Promise<{ words: string; isFinal: boolean } | undefined> {
  try {
    const answer = await post(body);
    answer.body.resume();
    if (answer.status < 300) return undefined;
    return { words: `the server answered ${answer.status}`, isFinal: answer.status < 500 && answer.status !== 429 };
  } catch (error) {
    return { words: (error as Error).message, isFinal: false };
  }
}
