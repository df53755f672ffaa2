// GET of a collection: a header, the cached bytes joined, a tail, written in slices so that the event loop is never held
// for long. Pages after the first come from the store's history when the cache has moved on.

import { badRequest, resourceExpired, type StatusError } from "@picokube/api/errors";
import { isCompacted } from "@picokube/store/errors";
import { spliceRevision } from "../storage/codec.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { CacheItem } from "../storage/watch-cache.js";
import { decodeContinueToken, encodeContinueToken } from "./continue-token.js";
import { type Handler, type HandlerDependencies, waitForRevision } from "./dependencies.js";
import type { Exchange } from "./exchange.js";
import { itemFilter, type ListOptions, listOptionsOf } from "./list-options.js";
import { checkShape, representationOf, sendDocument } from "./represent.js";
import { includeObjectOf, partialMetadata, tableHead, tableRow } from "./tables.js";

const SLICE_BYTES = 128 * 1024;
const PAST_PAGE = 500;
/** Rows made between two turns of the event loop. */
const ROWS_PER_TURN = 100;

export interface ListPage {
  readonly items: readonly CacheItem[];
  /** Undefined for what is not stored. */
  readonly revision: number | undefined;
  readonly continueToken: string;
  readonly remaining: number | undefined;
}

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
  const metadata = {
    ...(page.revision === undefined ? {} : { resourceVersion: String(page.revision) }),
    ...(page.continueToken === "" ? {} : { continue: page.continueToken }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const isPlain = representation.format === "json" && !representation.pretty;
  if (representation.as === "object" && isPlain) {
    const head = `${JSON.stringify({ kind: `${served.kind}List`, apiVersion: served.apiVersion, metadata }).slice(0, -1)},"items":[`;
    return sendJoined(
      exchange,
      head,
      page.items.map((item) => served.bytesOf(item)),
    );
  }
  const { head, rows } = await rowsOf(exchange, {
    served,
    page,
    metadata,
    as: representation.as,
    now: nowMs,
  });
  if (isPlain) return sendJoined(exchange, head, rows);
  await sendDocument(
    exchange,
    200,
    Buffer.concat([Buffer.from(head), ...joined(rows), Buffer.from("]}")]),
    representation,
  );
}

async function rowsOf(
  { info }: Exchange,
  {
    served,
    page,
    metadata,
    as,
    now,
  }: { served: ServedResource; page: ListPage; metadata: object; as: string; now: number },
): Promise<{ head: string; rows: Buffer[] }> {
  const { definition } = served;
  const includeObject = includeObjectOf(info.query);
  const isTable = as === "Table";
  const rows: Buffer[] = [];
  for (const item of isTable ? inRowOrder(served, page.items) : page.items) {
    const bytes = served.bytesOf(item);
    if (as === "object") rows.push(bytes);
    else if (isTable) {
      rows.push(Buffer.from(tableRow(served.objectOf(item), { definition, includeObject, bytes, nowMs: now })));
    } else rows.push(Buffer.from(JSON.stringify(partialMetadata(served.objectOf(item)))));
    if (rows.length % ROWS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  if (isTable) return { head: tableHead(definition, metadata), rows };
  const isPartial = as !== "object";
  const kind = isPartial ? "PartialObjectMetadataList" : `${served.kind}List`;
  const apiVersion = isPartial ? "meta.k8s.io/v1" : served.apiVersion;
  return { head: `${JSON.stringify({ kind, apiVersion, metadata }).slice(0, -1)},"items":[`, rows };
}

function inRowOrder(served: ServedResource, items: readonly CacheItem[]): readonly CacheItem[] {
  const { compareRows } = served.definition;
  if (!compareRows) return items;
  return [...items].sort((a, b) => compareRows(served.objectOf(a), served.objectOf(b)));
}

const COMMA = Buffer.from(",");
const TAIL = Buffer.from("]}\n");

function joined(parts: readonly Buffer[]): Buffer[] {
  const result: Buffer[] = [];
  for (const part of parts) {
    if (result.length > 0) result.push(COMMA);
    result.push(part);
  }
  return result;
}

async function sendJoined({ response }: Exchange, head: string, parts: readonly Buffer[]): Promise<void> {
  const first = Buffer.from(head);
  let length = first.length + Math.max(parts.length - 1, 0) + TAIL.length;
  for (const part of parts) length += part.length;
  response.writeHead(200, {
    "Content-Type": "application/json",
    "Cache-Control": "no-cache, private",
    "Content-Length": length,
  });
  let slice: Buffer[] = [first];
  let sliceBytes = first.length;
  for (let index = 0; index < parts.length; index++) {
    if (index > 0) {
      slice.push(COMMA);
      sliceBytes++;
    }
    const part = parts[index]!;
    slice.push(part);
    sliceBytes += part.length;
    if (sliceBytes < SLICE_BYTES) continue;
    if (!(await writeSlice(response, Buffer.concat(slice, sliceBytes)))) return;
    slice = [];
    sliceBytes = 0;
  }
  slice.push(TAIL);
  response.end(Buffer.concat(slice));
}

/** Writes and waits for room; false when the client has gone. */
export async function writeSlice(response: Exchange["response"], bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(bytes)) return true;
  await new Promise<void>((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.on("drain", done);
    response.on("close", done);
  });
  return !response.destroyed;
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
    if (isCurrent) return pageOf(served, served.cache.range(prefix, afterKey), { ...options, prefix, revision });
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
    if (isExact) return pageOf(served, served.cache.range(prefix), { ...options, prefix, revision });
  }
  // Upstream's cache knows no limit for a client that takes any state.
  const limit = resourceVersion === "0" ? 0 : options.limit;
  return pageOf(served, served.cache.range(prefix), { ...options, limit, prefix, revision: feed.revision });
}

function pageOf(
  served: ServedResource,
  candidates: readonly CacheItem[],
  options: ListOptions & { prefix: string; revision: number },
): ListPage {
  const { limit, revision, prefix } = options;
  const filter = itemFilter(options, served);
  if (filter === undefined && (limit <= 0 || candidates.length <= limit)) {
    return { items: [...candidates], revision, continueToken: "", remaining: undefined };
  }
  const items: CacheItem[] = [];
  for (const [index, item] of candidates.entries()) {
    if (filter && !filter(item)) continue;
    items.push(item);
    if (limit <= 0 || items.length < limit || index === candidates.length - 1) continue;
    const rest = candidates.length - index - 1;
    const continueToken = encodeContinueToken({ revision, afterKey: item.key.slice(prefix.length) });
    return { items, revision, continueToken, remaining: filter ? undefined : rest };
  }
  return { items, revision, continueToken: "", remaining: undefined };
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
        const item = itemOf(served, pair);
        if (filter && !filter(item)) continue;
        items.push(item);
        if (limit <= 0 || items.length < limit) continue;
        const rest = page.items.length - index - 1 + page.remaining;
        if (rest === 0) break;
        const continueToken = encodeContinueToken({ revision, afterKey: pair.key.slice(prefix.length) });
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

function itemOf(
  served: ServedResource,
  { key, value, modRevision }: { key: string; value: Buffer; modRevision: number },
): CacheItem {
  const bytes = spliceRevision(value, modRevision);
  const object = served.copyOf({ bytes });
  const { name, namespace = "", labels = {} } = object.metadata;
  const item = { key, name, namespace, revision: modRevision, bytes, labels, fields: served.fieldsOf(object) };
  return { ...item, parsed: served.definition.storedAs ? undefined : object };
}
