// Watches: the state first when it is asked for, then every change in order, filtered as the watcher sees it. A watcher
// that does not read is cut off, so that nothing is buffered without bound.

import type { ServerResponse } from "node:http";
import { badRequest, notAcceptable, resourceExpired, type StatusError } from "@picokube/api/errors";
import { type FieldSelector, fieldSelectorOf, requiredFieldValue } from "@picokube/api/selectors/fields";
import { isCompacted, type StoreError } from "@picokube/store/errors";
import type { RequestInfo } from "../request/request-info.js";
import type { CacheEvent, CacheItem } from "../storage/cache-item.js";
import { replaceRevision } from "../storage/codec.js";
import type { ServedResource } from "../storage/served-resource.js";
import { type Handler, type HandlerDependencies, waitForRevision } from "./dependencies.js";
import { type Exchange, statusOf } from "./exchange.js";
import { indexTerms, itemFilter, type ListOptions, listOptionsOf } from "./list-options.js";
import { checkShape, representationOf } from "./represent.js";
import { nextTurn, writeSlice } from "./send-joined.js";
import { includeObjectOf } from "./tables.js";
import { createFramer, type Framer, type FrameType } from "./watch-frames.js";
import { changesFromLog } from "./watch-replay.js";

const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
const MAX_PENDING_EVENTS = 10_000;
const BOOKMARK_INTERVAL_MS = 60_000;
const INITIAL_SLICE_BYTES = 128 * 1024;
/** Items of the initial state looked at between two turns of the event loop. */
const ITEMS_PER_TURN = 2000;

/** Where frames go: a chunked answer or a WebSocket. */
export interface FrameSink {
  /** Sends one frame; false when the client reads too slowly and must be cut off. */
  send(frame: Buffer): boolean;
  /** Sends and waits for room; false when the client has gone. */
  sendSlow(frame: Buffer): Promise<boolean>;
  end(): void;
  destroy(): void;
  onClose(callback: () => void): void;
}

export const handleWatch: Handler = async (exchange, { served }, dependencies) => {
  const { response, request } = exchange;
  const plan = await planWatch(exchange, served, dependencies);
  const accept = request.headers.accept ?? "";
  response.writeHead(200, {
    "Content-Type": accept.includes("stream=watch") ? "application/json;stream=watch" : "application/json",
    "Cache-Control": "no-cache, private",
  });
  response.flushHeaders();
  request.socket.setNoDelay(true);
  await runWatch(plan, httpSink(response), dependencies);
};

function httpSink(response: ServerResponse): FrameSink {
  return {
    send: (frame) => {
      response.write(frame);
      return response.writableLength < MAX_BACKLOG_BYTES;
    },
    sendSlow: (frame) => writeSlice(response, frame),
    end: () => response.end(),
    destroy: () => response.destroy(),
    onClose: (callback) => void response.on("close", callback),
  };
}

export interface WatchPlan {
  readonly served: ServedResource;
  readonly namespace: string;
  readonly options: ListOptions;
  readonly framer: Framer;
  readonly timeoutMs: number;
  /** Undefined: from the state on; else changes above it. */
  readonly fromRevision: number | undefined;
}

/** Reads the request's options; throws before anything has been answered. */
export async function planWatch(
  exchange: Exchange,
  served: ServedResource,
  { feed, clock, minRequestTimeoutMs }: HandlerDependencies,
): Promise<WatchPlan> {
  const { info } = exchange;
  const options = listOptionsOf(info.query, served, true);
  const fields = fieldsOfNamed(info, options);
  const representation = representationOf(exchange);
  // A stream has no YAML form (upstream: NegotiateOutputMediaTypeStream).
  if (representation.format !== "json")
    throw notAcceptable("only the following media types are accepted: application/json;stream=watch");
  checkShape(representation, served, { isList: false });
  const { as } = representation;
  const framer = createFramer({ served, as, includeObject: includeObjectOf(info.query), now: () => clock.now() });
  const asked = options.timeoutSeconds ?? 0;
  const timeoutMs = asked > 0 ? asked * 1000 : minRequestTimeoutMs * (1 + Math.random());
  const revision = Number(options.resourceVersion || "0");
  if (revision > 0 && options.sendInitialEvents) await waitForRevision(feed, revision, clock);
  const fromState = options.sendInitialEvents ?? revision === 0;
  return {
    served,
    namespace: info.namespace,
    options: { ...options, fields },
    framer,
    timeoutMs,
    fromRevision: fromState ? undefined : revision === 0 ? feed.revision : revision,
  };
}

/** Watching one by its path is selecting it by its name; throws 400 when the client selects another. */
function fieldsOfNamed({ name }: RequestInfo, { fields }: ListOptions): FieldSelector {
  if (name === "") return fields;
  if (fields.empty) return fieldSelectorOf([{ field: "metadata.name", operator: "=", value: name }]);
  if (requiredFieldValue(fields, "metadata.name") === name) return fields;
  throw badRequest("fieldSelector metadata.name doesn't match requested name");
}

/** Sends frames until the client goes, the time is over or the server stops. */
export async function runWatch(
  plan: WatchPlan,
  sink: FrameSink,
  { feed, store, clock, shutdown }: HandlerDependencies,
): Promise<void> {
  const { served, framer, options, fromRevision } = plan;
  const prefix = served.prefixOf(plan.namespace);
  const filter = itemFilter(options, served);
  const sees = (item: CacheItem) => item.key.startsWith(prefix) && (filter === undefined || filter(item));
  const startRevision = feed.revision;
  const isFromState = fromRevision === undefined;
  const remembered = isFromState ? [] : served.cache.since(fromRevision);
  // Terms narrow what is looked at; the filter decides.
  const initial = isFromState ? served.cache.candidates(prefix, { terms: indexTerms(options, served) }) : [];
  // Above what the client already has: a revision of the future is waited for, not replayed.
  const aboveRevision = fromRevision ?? startRevision;
  let pending: CacheEvent[] | undefined = [...(remembered ?? [])];
  let finished = false;
  const ended = new AbortController();

  const frameOf = (event: CacheEvent): Buffer | undefined => {
    if (event.revision <= aboveRevision) return undefined;
    const type = frameType(event, sees);
    if (type === undefined) return undefined;
    return framer.frame(type, type === "DELETED" ? lastSeen(event) : event.item, event.frames);
  };
  const deliver = (event: CacheEvent): void => {
    let frame: ReturnType<typeof frameOf>;
    try {
      frame = frameOf(event);
    } catch {
      // What cannot be converted into this version ends this watch alone; a list says why.
      cutOff();
      return;
    }
    if (frame && !sink.send(frame)) cutOff();
  };
  const unsubscribe = served.cache.subscribe((event) => {
    if (pending === undefined) deliver(event);
    else if (pending.push(event) > MAX_PENDING_EVENTS) cutOff();
  });
  const finish = (): void => {
    if (finished) return;
    finished = true;
    ended.abort();
    unsubscribe();
    timeout.cancel();
    bookmarks?.cancel();
    shutdown.removeEventListener("abort", endNow);
    served.retired?.removeEventListener("abort", endNow);
  };
  const endNow = (): void => {
    finish();
    sink.end();
  };
  function cutOff(): void {
    finish();
    sink.destroy();
  }
  const bookmark = (initialEventsEnd: boolean): void => {
    const revision = Math.max(feed.revision, fromRevision ?? 0);
    if (!sink.send(framer.bookmark(revision, { initialEventsEnd }))) cutOff();
  };
  const nextBookmark = () =>
    clock.after(BOOKMARK_INTERVAL_MS, () => {
      if (finished) return;
      // Not while older changes wait for the initial state to be sent: it would promise what has not been told.
      if (pending === undefined) bookmark(false);
      if (!finished) bookmarks = nextBookmark();
    });
  const timeout = clock.after(plan.timeoutMs, () => {
    // The client resumes from here, not from the last bookmark of long ago.
    if (options.allowWatchBookmarks && pending === undefined) bookmark(false);
    if (!finished) endNow();
  });
  let bookmarks = options.allowWatchBookmarks ? nextBookmark() : undefined;
  sink.onClose(finish);
  shutdown.addEventListener("abort", endNow, { once: true });
  served.retired?.addEventListener("abort", endNow, { once: true });
  if (shutdown.aborted || served.retired?.aborted) endNow();

  if (!(await sendInitial(initial, { sees, framer, sink }))) return finish();
  if (remembered === undefined) {
    const span = { prefix, aboveRevision, upToRevision: startRevision, signal: ended.signal };
    try {
      if (!(await sendMissed(changesFromLog(served, store, span), { frameOf, sink }))) return finish();
    } catch (error) {
      sink.send(errorFrame(isCompacted(error) ? tooOld(aboveRevision, error) : error));
      return endNow();
    }
  }
  if (finished) return;
  if (options.sendInitialEvents && options.allowWatchBookmarks) {
    if (!sink.send(framer.bookmark(startRevision, { initialEventsEnd: true }))) cutOff();
  }
  const waiting: CacheEvent[] = pending;
  pending = undefined;
  for (const event of waiting) if (!finished) deliver(event);
}

/** In the words of upstream's watch cache. */
function tooOld(revision: number, { revision: oldest = 0 }: StoreError): StatusError {
  return resourceExpired(`too old resource version: ${revision} (${oldest})`);
}

function errorFrame(error: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type: "ERROR", object: statusOf(error) })}\n`);
}

/** Sends changes as fast as the client reads them; false when it has gone. */
async function sendMissed(
  changes: AsyncIterable<CacheEvent>,
  { frameOf, sink }: { frameOf: (event: CacheEvent) => Buffer | undefined; sink: FrameSink },
): Promise<boolean> {
  for await (const event of changes) {
    const frame = frameOf(event);
    if (frame && !(await sink.sendSlow(frame))) return false;
  }
  return true;
}

/** Sends those of the items that the watcher sees, a slice at a time; false when the client has gone. */
async function sendInitial(
  items: readonly CacheItem[],
  { sees, framer, sink }: { sees: (item: CacheItem) => boolean; framer: Framer; sink: FrameSink },
): Promise<boolean> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    if (index % ITEMS_PER_TURN === ITEMS_PER_TURN - 1) await nextTurn();
    if (!sees(item)) continue;
    for (const piece of framer.pieces("ADDED", item)) {
      pieces.push(piece);
      bytes += piece.length;
    }
    if (bytes < INITIAL_SLICE_BYTES) continue;
    if (!(await sink.sendSlow(Buffer.concat(pieces, bytes)))) return false;
    pieces = [];
    bytes = 0;
  }
  return bytes === 0 || sink.sendSlow(Buffer.concat(pieces, bytes));
}

/** How this watcher sees the change: an object that begins or ceases to match is ADDED or DELETED to it. */
function frameType({ type, item, previous }: CacheEvent, sees: (item: CacheItem) => boolean): FrameType | undefined {
  const saw = previous !== undefined && sees(previous);
  if (type === "DELETED") return saw ? "DELETED" : undefined;
  const seesNow = sees(item);
  if (seesNow) return saw ? "MODIFIED" : "ADDED";
  return saw ? "DELETED" : undefined;
}

/** What is told of an object that goes: its last state, under the revision of its going (upstream: convertToWatchEvent). */
function lastSeen({ type, item, previous, revision }: CacheEvent): CacheItem {
  if (type === "DELETED" || previous === undefined) return item;
  const bytes = replaceRevision(previous.bytes, { from: previous.revision, to: revision });
  return { ...previous, revision, bytes, parsed: undefined, row: undefined };
}
