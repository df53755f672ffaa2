// /containerLogs: a container's log as a plain text stream.

import { PassThrough, type Readable } from "node:stream";
import { badRequest } from "@picokube/api/errors";
import type { LogOptions, Runtime } from "../cri/runtime.js";

export interface LogQuery {
  readonly options: LogOptions;
  readonly previous: boolean;
  readonly limitBytes: number | undefined;
}

const isTrue = (text: string | null): boolean => text === "true" || text === "1" || text === "True" || text === "";

function wholeNumber(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) throw badRequest(`Invalid value for "${name}": ${text}`);
  return value;
}

/** The query of a log request; throws a BadRequest. */
export function parseLogQuery(query: URLSearchParams, nowMs: number): LogQuery {
  const flag = (name: string) => query.has(name) && isTrue(query.get(name));
  const tailLines = wholeNumber(query, "tailLines", 0);
  const limitBytes = wholeNumber(query, "limitBytes", 1);
  const sinceSeconds = wholeNumber(query, "sinceSeconds", 1);
  const sinceTime = query.get("sinceTime");
  const sinceMs = sinceTime ? Date.parse(sinceTime) : sinceSeconds ? nowMs - sinceSeconds * 1000 : undefined;
  if (sinceMs !== undefined && Number.isNaN(sinceMs)) throw badRequest(`Invalid value for "sinceTime": ${sinceTime}`);
  if (sinceTime && sinceSeconds) throw badRequest("at most one of `sinceTime` or `sinceSeconds` may be specified");
  return {
    options: {
      follow: flag("follow"),
      timestamps: flag("timestamps"),
      ...(tailLines === undefined ? {} : { tailLines }),
      ...(sinceMs === undefined ? {} : { sinceMs }),
    },
    previous: flag("previous"),
    limitBytes,
  };
}

/** The log's bytes; it ends when aborted. */
export async function openLog(
  runtime: Runtime,
  containerId: string,
  { options, limitBytes }: LogQuery,
  abort: AbortController,
): Promise<Readable> {
  const source = await runtime.logs(containerId, options, abort.signal);
  const output = new PassThrough();
  let leftBytes = limitBytes ?? Number.POSITIVE_INFINITY;
  const finish = () => {
    if (!output.writableEnded) output.end();
  };
  source.on("data", (chunk: Buffer) => {
    if (output.writableEnded || leftBytes <= 0) return;
    const part = chunk.length > leftBytes ? chunk.subarray(0, leftBytes) : chunk;
    leftBytes -= part.length;
    if (!output.write(part)) {
      source.pause();
      output.once("drain", () => source.resume());
    }
    if (leftBytes <= 0) {
      finish();
      abort.abort();
    }
  });
  for (const event of ["end", "error", "close"]) source.once(event, finish);
  output.on("close", () => abort.abort());
  return output;
}
