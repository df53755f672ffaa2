// Turns the store's errors into Status errors, in the words of upstream's storage layer. The only place that does.

import { alreadyExists, conflict, notFound, resourceExpired, serviceUnavailable, timeout } from "@picokube/api/errors";
import type { GroupResource } from "@picokube/api/resource";
import { StoreError } from "@picokube/store/errors";

/** The error to throw for a failed read or write of that object; other errors pass through. */
export function statusOfStoreFault(error: unknown, resource: GroupResource, name: string): unknown {
  if (!(error instanceof StoreError)) return error;
  switch (error.code) {
    case "KeyExists":
      return alreadyExists(resource, name);
    case "NotFound":
      return notFound(resource, name);
    case "Conflict":
      return conflict(resource, name);
    case "Compacted":
      return resourceExpired("The resourceVersion for the provided list is too old.");
    case "FutureRevision":
      return timeout("Too large resource version");
    case "Unavailable":
      return serviceUnavailable(error.message, { cause: error });
  }
}
