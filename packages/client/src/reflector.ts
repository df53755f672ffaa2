// Keeps a store equal to the server's collection: list, watch from there, list again when the server says so.
// Upstream's cache.Reflector. Holds no objects itself.

import { isGone, isTooManyRequests } from "@picokube/api/errors";
import type { KubernetesObject, WatchEvent } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import { exponential } from "@picokube/component-base/backoff";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { Client, ListOptions } from "./client.js";
import { isConnectionLost } from "./retry.js";

/** Where a reflector puts what it sees. */
export interface ReflectorStore<T> {
  replace(items: readonly T[]): void;
  apply(event: WatchEvent<T & KubernetesObject>): void;
}

export interface ReflectorOptions<T extends KubernetesObject> {
  readonly client: Client;
  readonly resource: Resource<T>;
  readonly store: ReflectorStore<T>;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly selection?: Pick<ListOptions, "labelSelector" | "fieldSelector" | "namespace" | "metadataOnly">;
}

const pageSize = 500;
const minWatchSeconds = 300;
const resetAfterMs = 120_000;

/** Runs until the signal aborts. */
export async function runReflector<T extends KubernetesObject>(options: ReflectorOptions<T>): Promise<void> {
  const { clock, signal, resource } = options;
  const logger = options.logger.with({ resource: resource.resource });
  const backoff = exponential({ initialMs: 800, maxMs: 30_000, jitter: 1 });
  let lastFailureMs = 0;
  // Undefined: nothing was listed yet; "": the version known is no longer served, so list the newest.
  let position: string | undefined;
  let mustList = true;
  const failed = async (what: string, error: unknown) => {
    if (signal.aborted) return;
    const fields = { err: error };
    if (isConnectionLost(error)) logger.v(2).info(what, fields);
    else logger.warn(what, fields);
    if (clock.now() - lastFailureMs > resetAfterMs) backoff.reset();
    lastFailureMs = clock.now();
    await clock.sleep(backoff.next(), signal).catch(() => {});
  };
  while (!signal.aborted) {
    try {
      if (mustList) {
        position = await listAll(options, position ?? "0");
        mustList = false;
      }
    } catch (error) {
      if (isGone(error)) position = "";
      await failed("Failed to list", error);
      continue;
    }
    try {
      const startedMs = clock.now();
      let events = 0;
      for await (const event of watchFrom(options, position!)) {
        events += 1;
        position = event.object.metadata.resourceVersion;
        if (event.type !== "BOOKMARK") options.store.apply(event);
      }
      if (events === 0 && clock.now() - startedMs < 1000)
        await failed("Very short watch", new Error("the watch lasted less than a second and no items were received"));
    } catch (error) {
      if (isGone(error)) {
        logger.v(4).info("Watch closed: version is too old, listing again", { err: error });
        mustList = true;
        position = "";
        continue;
      }
      // A server that is away or busy has not forgotten: the watch goes on where it was.
      await failed(isTooManyRequests(error) ? "Watch was refused, server is busy" : "Watch failed", error);
    }
  }
}

async function listAll<T extends KubernetesObject>(
  { client, resource, selection, store, signal }: ReflectorOptions<T>,
  resourceVersion: string,
): Promise<string> {
  const items: T[] = [];
  let next: string | undefined;
  let version = "";
  do {
    const page = await client.list(resource, {
      ...selection,
      signal,
      limit: pageSize,
      ...(next ? { continue: next } : { resourceVersion }),
    });
    for (const item of page.items) items.push(item);
    next = page.metadata.continue;
    version = page.metadata.resourceVersion ?? version;
  } while (next);
  store.replace(items);
  return version;
}

function watchFrom<T extends KubernetesObject>(
  { client, resource, selection, signal }: ReflectorOptions<T>,
  resourceVersion: string,
): AsyncIterable<WatchEvent<T>> {
  return client.watch(resource, {
    ...selection,
    signal,
    resourceVersion,
    allowWatchBookmarks: true,
    timeoutSeconds: Math.floor(minWatchSeconds * (1 + Math.random())),
  });
}
