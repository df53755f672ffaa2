// The continue token of paged lists: the revision of the first page and the key after which the next begins. Pure.

import { badRequest } from "@picokube/api/errors";

export interface ContinueToken {
  /** -1: whatever is current (upstream's inconsistent continuation). */
  readonly revision: number;
  /** Store key of the last item sent, without the resource's prefix. */
  readonly afterKey: string;
}

export function encodeContinueToken({ revision, afterKey }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision, start: `${afterKey}\0` })).toString(
    "base64url",
  );
}

/** Throws 400 for what is no token of ours. */
export function decodeContinueToken(token: string): ContinueToken {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as Record<string, unknown>;
    if (v !== "meta.k8s.io/v1" || !Number.isSafeInteger(rv) || typeof start !== "string" || start.includes("../")) {
      throw new Error("unrecognized token");
    }
    return { revision: rv as number, afterKey: start.replace(/\0$/, "") };
  } catch (error) {
    throw badRequest(`continue key is not valid: ${(error as Error).message}`, { cause: error });
  }
}
