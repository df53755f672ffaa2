// Changes that the cache has forgotten, or never saw because the server was started after them: read back from the
// store's log. Sends nothing.

import type { Store, StoreEvent } from "@picokube/store/store";
import type { CacheEvent } from "../storage/cache-item.js";
import { pastItem } from "../storage/past-item.js";
import type { ServedResource } from "../storage/served-resource.js";

interface Span {
  /** What the keys of the objects begin with. */
  readonly prefix: string;
  readonly aboveRevision: number;
  readonly upToRevision: number;
  readonly signal: AbortSignal;
}

/** The changes within the span, in order. Throws Compacted when the store no longer has them all. */
export async function* changesFromLog(
  served: ServedResource,
  store: Store,
  { prefix, aboveRevision, upToRevision, signal }: Span,
): AsyncGenerator<CacheEvent> {
  for await (const item of store.watch(prefix, { fromRevision: aboveRevision, signal })) {
    if (item.kind === "progress") {
      if (item.revision >= upToRevision) return;
      continue;
    }
    if (item.event.revision > upToRevision) return;
    const change = changeOf(served, item.event);
    if (change) yield change;
    if (item.event.revision === upToRevision) return;
  }
}

/** Undefined for what cannot be read, which the cache leaves out too. */
function changeOf(served: ServedResource, { type, revision, current, previous }: StoreEvent): CacheEvent | undefined {
  try {
    return {
      type: type === "delete" ? "DELETED" : previous ? "MODIFIED" : "ADDED",
      revision,
      item: pastItem(served, current, revision),
      previous: previous && pastItem(served, previous),
      frames: new Map(),
    };
  } catch {
    return undefined;
  }
}
