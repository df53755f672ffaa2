// Tells the apiserver's own writes (a binding, an eviction, bootstrap) from those of clients.

import type { RequestContext } from "./resource-definition.js";

/** True for writes that the apiserver makes through its StorageRegistry; they may set status and spec at once. */
export function isOwnWrite({ user }: RequestContext): boolean {
  return user.name === "system:apiserver";
}
