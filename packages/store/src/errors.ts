// The errors that a Store throws. They say what happened to the bytes; the apiserver turns them into Status objects.

import type { KeyValue } from "./store.js";

export type StoreErrorCode = "KeyExists" | "NotFound" | "Conflict" | "Compacted" | "FutureRevision" | "Unavailable";

/** Any failure of a Store; code says which. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  /** For KeyExists and Conflict: the state that stood in the way. */
  readonly current: KeyValue | undefined;
  /** For Compacted: the revision below which nothing is kept. For FutureRevision: the newest there is. */
  readonly revision: number | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    {
      current,
      revision,
      cause,
    }: { current?: KeyValue | undefined; revision?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreError";
    this.code = code;
    this.current = current;
    this.revision = revision;
  }
}

/** A create found the key already there. */
export function keyExists(key: string, current?: KeyValue): StoreError {
  return new StoreError("KeyExists", `key ${key} already exists`, { current });
}

/** An update or delete found no such key. */
export function keyNotFound(key: string): StoreError {
  return new StoreError("NotFound", `key ${key} not found`);
}

/** The key's mod revision is not the one the caller expected. */
export function revisionConflict(key: string, expectedRevision: number, current: KeyValue): StoreError {
  return new StoreError(
    "Conflict",
    `key ${key} is at revision ${current.modRevision}, not at the expected ${expectedRevision}`,
    { current },
  );
}

/** The revision is below what is kept (etcd's words). */
export function compacted(compactRevision: number): StoreError {
  return new StoreError("Compacted", "mvcc: required revision has been compacted", { revision: compactRevision });
}

/** The revision has not been given yet (etcd's words). */
export function futureRevision(revision: number): StoreError {
  return new StoreError("FutureRevision", "mvcc: required revision is a future revision", { revision });
}

/** The store cannot serve this now: full disk, read-only directory, closed. */
export function unavailable(message: string, cause?: unknown): StoreError {
  return new StoreError("Unavailable", message, { cause });
}

const isCode =
  (code: StoreErrorCode) =>
  (error: unknown): error is StoreError =>
    error instanceof StoreError && error.code === code;

export const isKeyExists = isCode("KeyExists");
export const isKeyNotFound = isCode("NotFound");
export const isRevisionConflict = isCode("Conflict");
export const isCompacted = isCode("Compacted");
export const isFutureRevision = isCode("FutureRevision");
export const isUnavailable = isCode("Unavailable");
