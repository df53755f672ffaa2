// Which objects a list answers with: from the cache, or from the store's history when the client goes on with an older
// list. Sends nothing.

import { badRequest, resourceExpired, type StatusError } from "@picokube/api/errors";
import { isCompacted } from "@picokube/store/errors";
import type { CacheItem } from "../storage/cache-item.js";
import { pastItem } from "../storage/past-item.js";
import type { ServedResource } from "../storage/served-resource.js";
import { decodeContinueToken, encodeContinueToken } from "./continue-token.js";
import { type HandlerDependencies, waitForRevision } from "./dependencies.js";
import { indexTerms, itemFilter, type ListOptions } from "./list-options.js";
import { nextTurn } from "./send-joined.js";

const PAST_PAGE = 500;
/** Items judged between two turns of the event loop. */
const CANDIDATES_PER_TURN = 5000;

export interface ListPage {
  readonly items: readonly CacheItem[];
  /** Undefined for what is not stored. */
  readonly revision: number | undefined;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

/** The items that a list answers with, consistent at one revision. */
export async function readPage(
  served: ServedResource,
  options: ListOptions & { namespace: string },
  { feed, store, clock }: HandlerDependencies,
): Promise<ListPage> {
  const prefix = served.prefixOf(options.namespace);
  served.checkReadable(prefix);
  const { resourceVersion } = options;
  if (options.continueToken !== "") {
    if (resourceVersion !== "" && resourceVersion !== "0") {
      throw badRequest("specifying resource version is not allowed when using continue");
    }
    const token = decodeContinueToken(options.continueToken);
    const afterKey = `${prefix}${token.afterKey}`;
    const isCurrent = token.revision < 0 || served.cache.lastRevision <= token.revision;
    const revision = token.revision < 0 ? feed.revision : token.revision;
    if (isCurrent) return pageOf(served, { ...options, prefix, revision, afterKey });
    return readPast(served, { ...options, prefix, revision, afterKey }, store);
  }
  if (resourceVersion !== "" && resourceVersion !== "0") {
    const revision = Number(resourceVersion);
    await waitForRevision(feed, revision, clock);
    const isExact =
      options.resourceVersionMatch === "Exact" || (options.resourceVersionMatch === "" && options.limit > 0);
    if (isExact && served.cache.lastRevision > revision) {
      return readPast(served, { ...options, prefix, revision, afterKey: "" }, store);
    }
    if (isExact) return pageOf(served, { ...options, prefix, revision, afterKey: "" });
  }
  // Upstream's cache knows no limit for a client that takes any state.
  const limit = resourceVersion === "0" ? 0 : options.limit;
  return pageOf(served, { ...options, limit, prefix, revision: feed.revision, afterKey: "" });
}

/** A page of what is cached now. */
async function pageOf(
  served: ServedResource,
  options: ListOptions & { prefix: string; revision: number; afterKey: string },
): Promise<ListPage> {
  const { limit, revision, prefix, afterKey } = options;
  const filter = itemFilter(options, served);
  const isWhole = limit <= 0;
  if (filter === undefined) {
    const items = served.cache.range(prefix, isWhole ? { afterKey } : { afterKey, limit });
    const remaining = isWhole ? 0 : served.cache.count(prefix, afterKey) - items.length;
    if (remaining === 0) return { items, revision, continueToken: "", remaining: undefined };
    return { items, revision, continueToken: continueAfter(items.at(-1)!, { prefix, revision }), remaining };
  }
  const candidates = served.cache.candidates(prefix, { afterKey, terms: indexTerms(options, served) });
  const items: CacheItem[] = [];
  for (const [index, item] of candidates.entries()) {
    if (index % CANDIDATES_PER_TURN === CANDIDATES_PER_TURN - 1) await nextTurn();
    if (!filter(item)) continue;
    items.push(item);
    if (isWhole || items.length < limit || index === candidates.length - 1) continue;
    return { items, revision, continueToken: continueAfter(item, { prefix, revision }), remaining: undefined };
  }
  return { items, revision, continueToken: "", remaining: undefined };
}

function continueAfter({ key }: CacheItem, { prefix, revision }: { prefix: string; revision: number }): string {
  return encodeContinueToken({ revision, afterKey: key.slice(prefix.length) });
}

/** A page as of an older revision, from the store's history. */
async function readPast(
  served: ServedResource,
  options: ListOptions & { prefix: string; revision: number; afterKey: string },
  store: HandlerDependencies["store"],
): Promise<ListPage> {
  const { prefix, revision, limit } = options;
  const filter = itemFilter(options, served);
  const items: CacheItem[] = [];
  let continueKey = options.afterKey === "" ? undefined : `${options.afterKey}\0`;
  try {
    for (;;) {
      const page = await store.list(prefix, {
        revision,
        limit: limit > 0 ? limit : PAST_PAGE,
        ...(continueKey === undefined ? {} : { continueKey }),
      });
      for (const [index, pair] of page.items.entries()) {
        const item = pastItem(served, pair);
        if (filter && !filter(item)) continue;
        items.push(item);
        if (limit <= 0 || items.length < limit) continue;
        const rest = page.items.length - index - 1 + page.remaining;
        if (rest === 0) break;
        const continueToken = continueAfter(item, { prefix, revision });
        return { items, revision, continueToken, remaining: filter ? undefined : rest };
      }
      if (page.continueKey === undefined) return { items, revision, continueToken: "", remaining: undefined };
      continueKey = page.continueKey;
    }
  } catch (error) {
    if (!isCompacted(error)) throw error;
    throw expired(options);
  }
}

function expired({
  continueToken,
  prefix,
  afterKey,
}: {
  continueToken: string;
  prefix: string;
  afterKey: string;
}): StatusError {
  if (continueToken === "") return resourceExpired("The resourceVersion for the provided list is too old.");
  const token = encodeContinueToken({ revision: -1, afterKey: afterKey.slice(prefix.length) });
  const error = resourceExpired(
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.",
  );
  const toStatus = error.toStatus.bind(error);
  error.toStatus = () => ({ ...toStatus(), metadata: { continue: token } as never });
  return error;
}
