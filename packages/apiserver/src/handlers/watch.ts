// Watches: the state first when it is asked for, then every change in order, filtered as the watcher sees it. A watcher
// that does not read is cut off, so that nothing is buffered without bound.

import type { ServerResponse } from "node:http";
import { badRequest, notAcceptable, resourceExpired } from "@picokube/api/errors";
import { type FieldSelector, fieldSelectorOf, requiredFieldValue } from "@picokube/api/selectors/fields";
import type { RequestInfo } from "../request/request-info.js";
import { replaceRevision } from "../storage/codec.js";
import type { ServedResource } from "../storage/served-resource.js";
import type { CacheEvent, CacheItem } from "../storage/watch-cache.js";
import { type Handler, type HandlerDependencies, waitForRevision } from "./dependencies.js";
import { type Exchange, statusOf } from "./exchange.js";
import { writeSlice } from "./list.js";
import { itemFilter, type ListOptions, listOptionsOf } from "./list-options.js";
import { checkShape, representationOf } from "./represent.js";
import { includeObjectOf } from "./tables.js";
import { createFramer, type Framer, type FrameType } from "./watch-frames.js";

const MAX_BACKLOG_BYTES = 8 * 1024 * 1024;
const MAX_PENDING_EVENTS = 10_000;
const BOOKMARK_INTERVAL_MS = 60_000;
const INITIAL_SLICE_BYTES = 64 * 1024;

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
  { feed, clock, shutdown }: HandlerDependencies,
): Promise<void> {
  const { served, framer, options, fromRevision } = plan;
  const prefix = served.prefixOf(plan.namespace);
  const filter = itemFilter(options, served);
  const sees = (item: CacheItem) => item.key.startsWith(prefix) && (filter === undefined || filter(item));
  const replay = fromRevision === undefined ? [] : served.cache.since(fromRevision);
  if (replay === undefined) {
    const error = resourceExpired(`too old resource version: ${fromRevision} (${served.cache.lowRevision})`);
    sink.send(Buffer.from(`${JSON.stringify({ type: "ERROR", object: statusOf(error) })}\n`));
    sink.end();
    return;
  }
  const initial = fromRevision === undefined ? served.cache.range(prefix).filter(sees) : [];
  const startRevision = feed.revision;
  // Above what the client already has: a revision of the future is waited for, not replayed.
  const aboveRevision = Math.max(fromRevision ?? 0, fromRevision === undefined ? startRevision : 0);
  let pending: CacheEvent[] | undefined = [...replay];
  let finished = false;

  const deliver = (event: CacheEvent): void => {
    if (event.revision <= aboveRevision) return;
    const type = frameType(event, sees);
    if (type === undefined) return;
    const item = type === "DELETED" ? lastSeen(event) : event.item;
    if (!sink.send(framer.frame(type, item, event.frames))) cutOff();
  };
  const unsubscribe = served.cache.subscribe((event) => {
    if (pending === undefined) deliver(event);
    else if (pending.push(event) > MAX_PENDING_EVENTS) cutOff();
  });
  const finish = (): void => {
    if (finished) return;
    finished = true;
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

  if (!(await sendInitial(initial, framer, sink))) return finish();
  if (finished) return;
  if (options.sendInitialEvents && options.allowWatchBookmarks) {
    if (!sink.send(framer.bookmark(startRevision, { initialEventsEnd: true }))) cutOff();
  }
  const waiting: CacheEvent[] = pending;
  pending = undefined;
  for (const event of waiting) if (!finished) deliver(event);
}

async function sendInitial(items: readonly CacheItem[], framer: Framer, sink: FrameSink): Promise<boolean> {
  let frames: Buffer[] = [];
  let bytes = 0;
  for (const item of items) {
    const frame = framer.frame("ADDED", item);
    frames.push(frame);
    bytes += frame.length;
    if (bytes < INITIAL_SLICE_BYTES) continue;
    if (!(await sink.sendSlow(Buffer.concat(frames)))) return false;
    frames = [];
    bytes = 0;
  }
  return frames.length === 0 || sink.sendSlow(Buffer.concat(frames));
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
  return { ...previous, revision, bytes, parsed: undefined };
}
