// The continue token of paged lists: the revision of the first page and the key after which the next begins (apiserver
// pkg/storage/continue.go). Pure.

import { posix } from "node:path";
import { badRequest } from "@picokube/api/errors";

export interface ContinueToken {
  /** -1: whatever is current (upstream's inconsistent continuation). */
  readonly revision: number;
  /** Store key of the last item sent, without the resource's prefix. */
  readonly afterKey: string;
}

const VERSION = "meta.k8s.io/v1";

export function encodeContinueToken({ revision, afterKey }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start: `${afterKey}\0` })).toString("base64url");
}

/** Throws 400 for what is no token of ours. */
export function decodeContinueToken(token: string): ContinueToken {
  const { v, rv, start } = parse(token);
  if (v !== VERSION) throw notValid(": server does not recognize this encoded version");
  if (!Number.isSafeInteger(rv) || rv === 0) {
    throw notValid(`: incorrect encoded start resourceVersion (version ${VERSION})`);
  }
  if (typeof start !== "string" || start === "") throw notValid(`: encoded start key empty (version ${VERSION})`);
  // Nothing less specific than the resource's prefix may be reached by "..".
  const rooted = start.startsWith("/") ? start : `/${start}`;
  if (posix.normalize(rooted) !== rooted) throw notValid(`: ${start}`);
  return { revision: rv as number, afterKey: rooted.slice(1).replace(/\0$/, "") };
}

function parse(token: string): { [field: string]: unknown } {
  if (!/^[\w-]*$/.test(token)) throw notValid(": illegal base64 data");
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    if (typeof value === "object" && value !== null) return value as { [field: string]: unknown };
  } catch (error) {
    throw notValid(`: ${(error as Error).message}`, error);
  }
  throw notValid("");
}

function notValid(why: string, cause?: unknown): Error {
  return badRequest(`invalid continue token: continue key is not valid${why}`, { cause });
}
