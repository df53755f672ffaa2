// The ConfigMaps, Secrets and ServiceAccounts that this node's pods refer to: fetched one by one (the node authoriser
// allows no more), then watched for as long as somebody asks for them. Never lists a namespace.

import {
  type ConfigMap,
  configmaps,
  type Node,
  type Secret,
  type Service,
  type ServiceAccount,
  secrets,
  serviceaccounts,
} from "@picokube/api/core/v1";
import { isNotFound, notFound } from "@picokube/api/errors";
import type { KubernetesObject } from "@picokube/api/meta/v1";
import type { Resource } from "@picokube/api/resource";
import type { Client } from "@picokube/client/client";
import type { Lister } from "@picokube/client/informer";
import type { Clock } from "@picokube/component-base/clock";
import type { Logger } from "@picokube/component-base/logger";
import type { ObjectSource } from "../parts.js";

const idleMs = 5 * 60_000;
const rewatchMs = 1_000;

interface Entry {
  object: KubernetesObject;
  usedAtMs: number;
}

/** Called with the namespace and name of an object that has changed or gone. */
export type ObjectListener = (changed: { resource: string; namespace: string; name: string }) => void;

export interface WatchedObjectSource extends ObjectSource {
  onChange(listener: ObjectListener): () => void;
  /** Ends all watches when the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export interface ObjectSourceOptions {
  client: Client;
  services: Lister<Service>;
  node: () => Node | undefined;
  clock: Clock;
  logger: Logger;
}

/** Makes the one ObjectSource of a kubelet. */
export function createObjectSource(options: ObjectSourceOptions): WatchedObjectSource {
  const { client, clock, logger } = options;
  const entries = new Map<string, Entry>();
  const pending = new Map<string, Promise<KubernetesObject>>();
  const listeners = new Set<ObjectListener>();
  const stopped = new AbortController();

  async function fetch<T extends KubernetesObject>(resource: Resource<T>, namespace: string, name: string): Promise<T> {
    const key = `${resource.resource}/${namespace}/${name}`;
    const known = entries.get(key);
    if (known) {
      known.usedAtMs = clock.now();
      return known.object as T;
    }
    let request = pending.get(key) as Promise<T> | undefined;
    if (!request) {
      request = first(resource, { namespace, name }, key);
      pending.set(key, request);
      request.catch(() => undefined).finally(() => pending.delete(key));
    }
    return request;
  }

  async function first<T extends KubernetesObject>(
    resource: Resource<T>,
    { namespace, name }: { namespace: string; name: string },
    key: string,
  ): Promise<T> {
    try {
      const object = await client.get(resource, { namespace, name }, { signal: stopped.signal });
      entries.set(key, { object, usedAtMs: clock.now() });
      follow(resource, { namespace, name }, key).catch((err: unknown) => {
        entries.delete(key);
        if (!stopped.signal.aborted) logger.error("Watching an object of a pod failed", { object: key, err });
      });
      return object;
    } catch (error) {
      // Upstream's managers name the kind in the singular: events say `configmap "x" not found`.
      if (isNotFound(error)) throw notFound({ group: "", resource: resource.singular }, name);
      throw error;
    }
  }

  /** Keeps an entry current until nobody has asked for it for a while. */
  async function follow<T extends KubernetesObject>(
    resource: Resource<T>,
    { namespace, name }: { namespace: string; name: string },
    key: string,
  ): Promise<void> {
    const tell = () => {
      for (const listener of listeners) listener({ resource: resource.resource, namespace, name });
    };
    for (;;) {
      const entry = entries.get(key);
      if (!entry || stopped.signal.aborted) return;
      if (clock.now() - entry.usedAtMs > idleMs) {
        entries.delete(key);
        return;
      }
      try {
        const resourceVersion = entry.object.metadata.resourceVersion;
        const fieldSelector = `metadata.name=${name}`;
        const timeoutSeconds = 240 + Math.floor(Math.random() * 120);
        const watch = { namespace, fieldSelector, resourceVersion, timeoutSeconds, signal: stopped.signal };
        for await (const event of client.watch(resource, watch)) {
          if (event.type === "BOOKMARK") continue;
          if (event.type === "DELETED") {
            entries.delete(key);
            tell();
            return;
          }
          entry.object = event.object;
          tell();
        }
      } catch (err) {
        if (stopped.signal.aborted) return;
        logger.v(3).info("Watch of an object ended", { object: key, err });
      }
      if (!(await renew(resource, { namespace, name }, entry, tell))) {
        entries.delete(key);
        return;
      }
    }
  }

  /** Gets the object anew after its watch has ended; false when it is gone or may no longer be read. */
  async function renew<T extends KubernetesObject>(
    resource: Resource<T>,
    name: { namespace: string; name: string },
    entry: Entry,
    tell: () => void,
  ): Promise<boolean> {
    for (;;) {
      try {
        await clock.sleep(rewatchMs * (1 + Math.random()), stopped.signal);
        const object = await client.get(resource, name, { signal: stopped.signal });
        const changed = object.metadata.resourceVersion !== entry.object.metadata.resourceVersion;
        entry.object = object;
        if (changed) tell();
        return true;
      } catch (error) {
        if (stopped.signal.aborted) return false;
        if (isNotFound(error)) tell();
        // Without an answer the last known object is the best there is.
        if (error instanceof Error && error.name === "StatusError") return false;
      }
    }
  }

  return {
    configMap: (namespace, name) => fetch<ConfigMap>(configmaps, namespace, name),
    secret: (namespace, name) => fetch<Secret>(secrets, namespace, name),
    serviceAccount: (namespace, name) => fetch<ServiceAccount>(serviceaccounts, namespace, name),
    services: (namespace) => options.services.list(namespace),
    node: options.node,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async run(signal) {
      await new Promise<void>((resolve) => {
        if (signal.aborted) return resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      stopped.abort(signal.reason);
    },
  };
}
