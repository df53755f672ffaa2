// One request and its answer, as the handlers see them: who asks for what, how the body is read, how bytes go back.
// Knows no resource; errors are turned into Status here and nowhere else.

import type { IncomingMessage, ServerResponse } from "node:http";
import { badRequest, internalError, type Status, StatusError } from "@picokube/api/errors";
import type { UserInfo } from "../authn/authenticator.js";
import { bodyTooLarge, MAX_BODY_BYTES } from "../decode/decode-object.js";
import { negotiate, type Representation, wantsPretty } from "../request/negotiate.js";
import type { RequestInfo } from "../request/request-info.js";
import { closeLingering } from "./lingering-close.js";
import { sendYaml } from "./send-yaml.js";
import { createWarnings, type Warnings } from "./warnings.js";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** Becomes a Warning header of the answer. */
  warn(message: string): void;
  /** Adds an annotation to the request's audit event, if it has one. */
  readonly annotate: ((key: string, value: string) => void) | undefined;
}

/** How much of a body that nobody wants is still read, so that its connection serves on (net/http: maxPostHandlerReadBytes). */
const MAX_UNREAD_BYTES = 256 * 1024;
/** What makes a JSON body readable for people and yields a line at the end of terminals. */
const NEWLINE = Buffer.from("\n");

/** An exchange whose warnings go into the headers until the answer starts. */
export function createExchange({ request, response, info, user, annotate }: Omit<Exchange, "warn">): Exchange {
  let warnings: Warnings | undefined;
  const warn = (message: string) => {
    if (message === "" || response.headersSent) return;
    warnings ??= createWarnings();
    if (warnings.add(message)) response.setHeader("Warning", warnings.headers);
  };
  return { request, response, info, user, warn, annotate };
}

const bodyListeners = new WeakMap<IncomingMessage, (body: Buffer) => void>();

/** Has the listener told of the request's whole body, if it is read at all. */
export function onBody(request: IncomingMessage, listener: (body: Buffer) => void): void {
  bodyListeners.set(request, listener);
}

/** The whole body; throws 413 above the limit, 400 when the client breaks off. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) throw bodyTooLarge();
    if (request.destroyed && !request.readableEnded) throw brokenOff();
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (error: Error) => {
      request.off("data", take);
      reject(error);
    };
    const take = (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) fail(bodyTooLarge());
      else chunks.push(chunk);
    };
    request.on("data", take);
    request.once("end", () => {
      const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, length);
      bodyListeners.get(request)?.(body);
      resolve(body);
    });
    request.once("error", (error) => fail(brokenOff(error)));
    request.once("close", () => {
      if (!request.complete) fail(brokenOff());
    });
  });
}

function brokenOff(cause?: Error): Error {
  return badRequest("unexpected EOF", { cause });
}

/** Answers with ready JSON. */
export function sendJsonBytes(response: ServerResponse, code: number, bytes: Buffer): void {
  response.writeHead(code, {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    "Content-Length": bytes.length + 1,
  });
  response.write(bytes);
  response.end(NEWLINE);
}

export function sendJson(response: ServerResponse, code: number, object: unknown): void {
  sendJsonBytes(response, code, Buffer.from(JSON.stringify(object)));
}

export function sendText(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, {
    "Content-Type": "text/plain; charset=utf-8",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache, private",
  });
  response.end(text);
}

/** As the client asks, or JSON where it accepts nothing that we have: the error itself matters more (upstream: WriteObjectNegotiated). */
function errorRepresentation({ headers, url }: IncomingMessage): Pick<Representation, "format" | "pretty"> {
  const query = new URLSearchParams(url?.split("?")[1]);
  const pretty = wantsPretty(query.get("pretty"), headers["user-agent"]);
  try {
    return negotiate(headers.accept, { transforms: false, pretty });
  } catch {
    return { format: "json", pretty };
  }
}

/** The Status of any error; what is no StatusError is ours to answer for: 500. */
export function statusOf(error: unknown): Status {
  if (error instanceof StatusError) return error.toStatus();
  return internalError(error).toStatus();
}

/** Turns a request away before anything was done for it: no Status, as upstream's (filters/maxinflight.go: tooManyRequests). */
export function sendBusy(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader("Retry-After", "1");
  leaveUnread(request, response);
  sendText(response, 429, "Too many requests, please try again later.\n");
}

/** Answers with the error's Status, or cuts the connection when the answer has begun. */
export function sendError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status = statusOf(error);
  const retryAfterSeconds = status.details?.retryAfterSeconds;
  if (retryAfterSeconds !== undefined) response.setHeader("Retry-After", String(retryAfterSeconds));
  leaveUnread(request, response);
  const { format, pretty } = errorRepresentation(request);
  if (format === "yaml") void sendYaml(response, status.code, status);
  else sendJsonBytes(response, status.code, Buffer.from(JSON.stringify(status, null, pretty ? 2 : 0)));
}

/** As Go's server: a small rest of the body is read and thrown away, for a large or unknown one the connection is given up. */
function leaveUnread(request: IncomingMessage, response: ServerResponse): void {
  const declaredBytes = Number(request.headers["content-length"] ?? 0);
  const isLong = request.headers["transfer-encoding"] !== undefined || declaredBytes > MAX_UNREAD_BYTES;
  if (isLong && !request.complete) {
    response.setHeader("Connection", "close");
    closeLingering(request.socket);
  }
  request.resume();
}
