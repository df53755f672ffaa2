// createClient: the Client interface over HTTP. Retries what is safe to retry; keeps no copy of any object.

import type { KubernetesObject, List, WatchEvent } from "@picokube/api/meta/v1";
import { apiVersionOf, type Resource } from "@picokube/api/resource";
import type { Clock } from "@picokube/component-base/clock";
import { realClock } from "@picokube/component-base/clock";
import type { Dispatcher } from "undici";
import type { Client, DeleteOptions, ListOptions, PatchOptions, RawRequest, WriteOptions } from "./client.js";
import type { ClientMetrics } from "./client-metrics.js";
import type { Kubeconfig } from "./kubeconfig.js";
import { LineDecoder } from "./line-decoder.js";
import { pathOf, queryOf } from "./request-path.js";
import { errorFromResponse, errorFromStatus } from "./response-error.js";
import { sendWithRetries } from "./retry.js";
import { createSlots, type Slots } from "./slots.js";
import { tokenBucket } from "./token-bucket.js";
import { createTransport, type Transport } from "./transport.js";

export interface ClientOptions {
  readonly kubeconfig: Kubeconfig;
  /** "kube-scheduler/v1.33.0 ...": what stands before the slash is also the field manager of writes. */
  readonly userAgent: string;
  /** Requests a second on average; no limit when left out. */
  readonly qps?: number;
  readonly burst?: number;
  readonly clock?: Clock;
  /** Hears of every request. */
  readonly metrics?: ClientMetrics;
}

const bodyTimeoutMs = 60_000;
const watchGraceMs = 30_000;
/** Requests that wait for their answer to begin: each has a connection of its own, and opening one costs more than the
 * request. */
const maxParallel = 64;

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** A Client with its own pool of connections, and close() for processes that outlive it. */
export function createClient({
  kubeconfig,
  userAgent,
  qps,
  burst,
  clock = realClock(),
  metrics,
}: ClientOptions): Client & { close(): Promise<void> } {
  const transport = createTransport({ kubeconfig, clock });
  const limiter = qps ? tokenBucket({ qps, burst: burst ?? qps * 2, clock }) : undefined;
  const call = new Caller({
    transport,
    userAgent,
    clock,
    host: new URL(kubeconfig.server).host,
    metrics,
    slots: createSlots(maxParallel),
    limit: (signal) => limiter?.take(signal) ?? Promise.resolve(),
  });
  return {
    async get(resource, { name, namespace }, options = {}) {
      const path = pathOf(resource, { namespace, name, subresource: options.subresource });
      return typed(resource, await call.json({ method: "GET", path, signal: options.signal }));
    },
    async list(resource, options = {}) {
      const path = pathOf(resource, { namespace: options.namespace }) + queryOf(listQuery(options));
      const accept = options.metadataOnly ? partialMetadata("PartialObjectMetadataList") : undefined;
      return typedList(resource, await call.json({ method: "GET", path, signal: options.signal, accept }), options);
    },
    watch: (resource, options = {}) => watch(call, resource, options),
    async create(resource, object, options = {}) {
      const { namespace, name } = object.metadata ?? {};
      const target = options.subresource ? { namespace, name, subresource: options.subresource } : { namespace };
      const path = pathOf(resource, target) + queryOf(writeQuery(options));
      return typed(
        resource,
        await call.json({ method: "POST", path, body: stamped(resource, object), signal: options.signal }),
      );
    },
    createSubresource: (resource, { name, namespace }, subresource, body, options = {}) =>
      call.json({
        method: "POST",
        path: pathOf(resource, { namespace, name, subresource }) + queryOf(writeQuery(options)),
        body,
        signal: options.signal,
      }),
    async update(resource, object, options = {}) {
      const { namespace, name } = object.metadata;
      const path =
        pathOf(resource, { namespace, name, subresource: options.subresource }) + queryOf(writeQuery(options));
      return typed(
        resource,
        await call.json({ method: "PUT", path, body: stamped(resource, object), signal: options.signal }),
      );
    },
    async patch(resource, { name, namespace }, patch, options) {
      const path =
        pathOf(resource, { namespace, name, subresource: options.subresource }) + queryOf(patchQuery(options));
      const contentType = patchTypes[options.type];
      return typed(
        resource,
        await call.json({ method: "PATCH", path, body: patch, contentType, signal: options.signal }),
      );
    },
    async delete(resource, { name, namespace }, options = {}) {
      const path = pathOf(resource, { namespace, name, subresource: options.subresource });
      await call.json({ method: "DELETE", path, body: deleteBody(options), signal: options.signal });
    },
    async deleteCollection(resource, options = {}) {
      const path = pathOf(resource, { namespace: options.namespace }) + queryOf(listQuery(options));
      await call.json({ method: "DELETE", path, body: deleteBody(options), signal: options.signal });
    },
    async raw({ method, path, body, headers, signal }: RawRequest) {
      const response = await call.send({
        method: method as Dispatcher.HttpMethod,
        path,
        body,
        headers,
        signal,
        bodyTimeoutMs: 0,
      });
      return { status: response.statusCode, headers: response.headers, body: response.body };
    },
    close: () => transport.close(),
  };
}

interface Call {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string | undefined;
  readonly headers?: Record<string, string> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly bodyTimeoutMs?: number;
}

interface CallerOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly host: string;
  readonly metrics: ClientMetrics | undefined;
  readonly slots: Slots;
  readonly limit: (signal?: AbortSignal) => Promise<void>;
}

class Caller {
  readonly #options: CallerOptions;

  constructor(options: CallerOptions) {
    this.#options = options;
  }

  /** Any answer, whatever its code. */
  send({
    method,
    path,
    body,
    contentType,
    accept,
    headers,
    signal,
    bodyTimeoutMs: idleMs,
  }: Call): Promise<Dispatcher.ResponseData> {
    const { transport, userAgent, clock, host, metrics, slots, limit } = this.#options;
    const opaque = typeof body === "string" || Buffer.isBuffer(body);
    const payload = body === undefined ? undefined : opaque ? body : JSON.stringify(body);
    return sendWithRetries({
      idempotent: method === "GET",
      clock,
      signal,
      async send() {
        await limit(signal);
        return slots.use(() => {
          const startedMs = performance.now();
          const sent = (code: number | undefined) =>
            metrics?.sent({ method, host, code, seconds: (performance.now() - startedMs) / 1000 });
          const answer = transport.request({
            method,
            path,
            headers: {
              accept: accept ?? "application/json",
              "user-agent": userAgent,
              ...(payload === undefined ? {} : { "content-type": contentType ?? "application/json" }),
              ...headers,
            },
            ...(payload === undefined ? {} : { body: payload }),
            signal,
            bodyTimeoutMs: idleMs ?? bodyTimeoutMs,
          });
          answer.then(
            ({ statusCode }) => sent(statusCode),
            () => sent(undefined),
          );
          return answer;
        }, signal);
      },
    });
  }

  /** A successful answer's JSON; throws the StatusError of any other. */
  async json<T>(call: Call): Promise<T> {
    const response = await this.send(call);
    const text = await response.body.text();
    if (response.statusCode >= 300) throw errorFromResponse(response.statusCode, text);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
}

async function* watch<T extends KubernetesObject>(
  call: Caller,
  resource: Resource<T>,
  options: ListOptions & { allowWatchBookmarks?: boolean; sendInitialEvents?: boolean; timeoutSeconds?: number },
): AsyncGenerator<WatchEvent<T>> {
  const { allowWatchBookmarks, sendInitialEvents, timeoutSeconds, signal } = options;
  const query = queryOf({
    ...listQuery(options),
    watch: true,
    allowWatchBookmarks,
    sendInitialEvents,
    timeoutSeconds,
    resourceVersionMatch: sendInitialEvents ? "NotOlderThan" : undefined,
  });
  const response = await call.send({
    method: "GET",
    path: pathOf(resource, { namespace: options.namespace }) + query,
    signal,
    accept: options.metadataOnly ? partialMetadata("PartialObjectMetadata") : undefined,
    bodyTimeoutMs: timeoutSeconds ? timeoutSeconds * 1000 + watchGraceMs : 0,
  });
  if (response.statusCode >= 300) throw errorFromResponse(response.statusCode, await response.body.text());
  const lines = new LineDecoder();
  try {
    for await (const chunk of response.body)
      for (const line of lines.push(chunk as Buffer)) {
        const event = JSON.parse(line) as { type: string; object: T };
        if (event.type === "ERROR") throw errorFromStatus(event.object as object);
        yield {
          type: event.type as WatchEvent<T>["type"],
          object: options.metadataOnly ? renamed(resource, event.object) : event.object,
        };
      }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    response.body.on("error", () => {}).destroy();
  }
}

function listQuery(options: ListOptions): Record<string, string | number | boolean | undefined> {
  return {
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    limit: options.limit,
    continue: options.continue,
    resourceVersion: options.resourceVersion,
  };
}

function writeQuery({ dryRun, fieldManager }: WriteOptions): Record<string, string | undefined> {
  return { dryRun: dryRun ? "All" : undefined, fieldManager };
}

function patchQuery(options: PatchOptions): Record<string, string | boolean | undefined> {
  return { ...writeQuery(options), force: options.force };
}

function deleteBody({ gracePeriodSeconds, propagationPolicy, preconditions }: DeleteOptions): object {
  return { kind: "DeleteOptions", apiVersion: "v1", gracePeriodSeconds, propagationPolicy, preconditions };
}

function partialMetadata(kind: string): string {
  return `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;
}

function stamped<T extends KubernetesObject>(resource: Resource<T>, object: object): object {
  const given = object as { apiVersion?: string; kind?: string };
  return given.apiVersion && given.kind
    ? object
    : { apiVersion: apiVersionOf(resource), kind: resource.kind, ...given };
}

function typed<T extends KubernetesObject>(resource: Resource<T>, object: T): T {
  return stamped(resource, object) as T;
}

function typedList<T extends KubernetesObject>(
  resource: Resource<T>,
  list: List<T>,
  { metadataOnly }: ListOptions,
): List<T> {
  const items = (list.items ?? []).map((item) => (metadataOnly ? renamed(resource, item) : typed(resource, item)));
  return { ...list, metadata: list.metadata ?? {}, items };
}

// A PartialObjectMetadata is kept under the name of what it stands for; whatever else a server sent is dropped.
function renamed<T extends KubernetesObject>(resource: Resource<T>, { metadata }: T): T {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, metadata } as T;
}
