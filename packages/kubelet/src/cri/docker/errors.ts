// dockerode's errors in the runtime interface's terms: the engine's own message, and RuntimeNotFound for a 404.

import { RuntimeNotFound } from "../errors.js";

interface EngineError extends Error {
  statusCode?: number;
  json?: { message?: string } | Buffer;
}

/** HTTP status of an engine's answer; undefined when none came. */
export function statusCodeOf(error: unknown): number | undefined {
  return (error as EngineError | undefined)?.statusCode;
}

/** The engine's message without dockerode's wrapping. */
export function messageOf(error: unknown): string {
  const { message, json } = error as EngineError;
  if (json && !Buffer.isBuffer(json) && typeof json.message === "string") return json.message.trim();
  return message.replace(/^\(HTTP code \d+\) [^-]*- /, "").trim();
}

/** Throws the error as callers of the runtime know it. */
export function translateError(error: unknown): never {
  const message = messageOf(error);
  if (statusCodeOf(error) === 404) throw new RuntimeNotFound(message, { cause: error });
  throw new Error(message, { cause: error });
}
