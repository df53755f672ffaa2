// A plain HTTP request, handed on with undici, and its answer streamed back. Errors before the answer begins are thrown.

import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { StatusError } from "@picokube/api/errors";
import { type Dispatcher, request as send } from "undici";
import { answeredHeaders, forwardedHeaders } from "./headers.js";

export interface Relay {
  readonly url: URL;
  readonly dispatcher?: Dispatcher;
  /** Added to the client's headers. */
  readonly headers?: { readonly [name: string]: string };
  /** May throw a StatusError in place of passing an answer on; the body is its to read then. */
  readonly check?: (answer: Dispatcher.ResponseData) => Promise<void>;
  /** Changes the answer's headers. */
  readonly rewrite?: (headers: { [name: string]: string | string[] }) => void;
}

/** 503 for a backend that does not answer, as upstream's proxy says it. */
function unreachable(error: unknown): StatusError {
  const { message, code } = error as Error & { code?: string };
  return new StatusError(
    {
      code: 503,
      reason: "ServiceUnavailable",
      message: `error trying to reach service: ${message || code}`,
    },
    { cause: error },
  );
}

/** Relays; resolves when the answer has been sent, or the client has gone. */
export async function relay(request: IncomingMessage, response: ServerResponse, options: Relay): Promise<void> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once("close", onClose);
  let answer: Dispatcher.ResponseData;
  try {
    const hasBody = request.method !== "GET" && request.method !== "HEAD";
    answer = await send(options.url, {
      method: request.method as Dispatcher.HttpMethod,
      headers: { ...Object.fromEntries(forwardedHeaders(request, { upgrade: false })), ...options.headers },
      ...(hasBody ? { body: request } : {}),
      ...(options.dispatcher ? { dispatcher: options.dispatcher } : {}),
      signal: gone.signal,
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  } catch (error) {
    if (gone.signal.aborted) return;
    throw unreachable(error);
  }
  answer.body.on("error", () => {});
  await options.check?.(answer);
  const headers = answeredHeaders(answer.headers);
  options.rewrite?.(headers);
  response.writeHead(answer.statusCode, headers);
  response.flushHeaders();
  try {
    await pipeline(answer.body, response);
  } catch {
    // The answer has begun: all that can be said is that it is not complete.
    response.destroy();
  } finally {
    response.off("close", onClose);
  }
}
