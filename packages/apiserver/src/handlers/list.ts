// GET of a collection: a header, the cached bytes joined, a tail, written in slices so that the event loop is never held
// for long.

import type { Representation } from "../request/negotiate.js";
import type { CacheItem } from "../storage/cache-item.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { Handler } from "./dependencies.js";
import type { Exchange } from "./exchange.js";
import { listOptionsOf } from "./list-options.js";
import { type ListPage, readPage } from "./read-page.js";
import { checkShape, representationOf, sendDocument } from "./represent.js";
import { sendJoined } from "./send-joined.js";
import { rowOf } from "./table-rows.js";
import { includeObjectOf, partialMetadataBytes, tableHead } from "./tables.js";

export const handleList: Handler = async (exchange, { served }, dependencies) => {
  const { info } = exchange;
  const options = listOptionsOf(info.query, served, false);
  checkShape(representationOf(exchange), served, { isList: true });
  const page = await readPage(served, { ...options, namespace: info.namespace }, dependencies);
  await sendPage(exchange, { served, page, nowMs: dependencies.clock.now() });
};

/** Answers with the page in the representation that was asked for. */
export async function sendPage(
  exchange: Exchange,
  { served, page, nowMs }: { served: ServedResource; page: ListPage; nowMs: number },
): Promise<void> {
  const representation = representationOf(exchange);
  checkShape(representation, served, { isList: true });
  const { head, items, bytesOf } = collectionOf(exchange, { served, page, as: representation.as, nowMs });
  if (representation.format === "json" && !representation.pretty) {
    const areStored = representation.as === "object";
    return sendJoined(exchange.response, head, { items, bytesOf, hasLength: areStored });
  }
  const texts = items.map((item) => bytesOf(item).toString());
  await sendDocument(exchange, 200, Buffer.from(`${head}${texts.join(",")}]}`), representation);
}

interface Collection {
  /** Ends within the array of the items. */
  readonly head: string;
  readonly items: readonly CacheItem[];
  bytesOf(item: CacheItem): Buffer;
}

/** What the list is made of in one representation. */
function collectionOf(
  { info }: Exchange,
  { served, page, as, nowMs }: { served: ServedResource; page: ListPage; as: Representation["as"]; nowMs: number },
): Collection {
  const { items } = page;
  const metadata = {
    ...(page.revision === undefined ? {} : { resourceVersion: String(page.revision) }),
    ...(page.continueToken === "" ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  if (as === "Table") {
    const includeObject = includeObjectOf(info.query);
    return {
      head: tableHead(served.definition, metadata),
      items: inRowOrder(served, items),
      bytesOf: (item) => rowOf(item, { served, includeObject, nowMs }),
    };
  }
  const isPartial = as !== "object";
  const kind = isPartial ? "PartialObjectMetadataList" : `${served.kind}List`;
  const apiVersion = isPartial ? "meta.k8s.io/v1" : served.apiVersion;
  return {
    head: `${JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)},"items":[`,
    items,
    bytesOf: (item) => (isPartial ? partialMetadataBytes(served.bytesOf(item)) : served.bytesOf(item)),
  };
}

function inRowOrder(served: ServedResource, items: readonly CacheItem[]): readonly CacheItem[] {
  const { compareRows } = served.definition;
  if (!compareRows) return items;
  return [...items].sort((a, b) => compareRows(served.objectOf(a), served.objectOf(b)));
}
