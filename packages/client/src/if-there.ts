// The answer about an object that may be gone. Any other failure stays one.

import { isNotFound } from "@picokube/api/errors";

/** Undefined instead of a NotFound. */
export async function ifThere<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
